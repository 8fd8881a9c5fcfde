"""The hosts whose pages get no files are recognised."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from qingbo_widgets.system.host import is_colab, is_voila


def test_colab_is_recognised_by_its_module_or_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the two marks is enough, and without them this is not Colab."""
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    assert not is_colab()
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert is_colab()
    monkeypatch.delenv("COLAB_RELEASE_TAG")
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert is_colab()


@pytest.mark.parametrize(
    ("software", "is_it"), [("voila/0.5.13", True), ("jupyter_server/2.14", False), ("", False)]
)
def test_voila_is_recognised_by_its_server(
    monkeypatch: pytest.MonkeyPatch, software: str, is_it: bool
) -> None:
    """Voila names itself in the environment of its kernels, as CGI does."""
    monkeypatch.setenv("SERVER_SOFTWARE", software)
    assert is_voila() == is_it
