"""The host of this interpreter: whether it gives the page files, and what it tells of the running cell."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from qingbo_widgets.system import host
from qingbo_widgets.system.host import (
    in_console,
    in_notebook,
    is_colab,
    is_voila,
    running_cell,
    running_source,
)


@pytest.mark.parametrize(
    ("parent", "cell", "source"),
    [
        (None, ("", ""), ""),
        ("a text", ("", ""), ""),
        ({}, ("", ""), ""),
        ({"metadata": None, "header": 7, "content": []}, ("", ""), ""),
        ({"metadata": {"cellId": None}, "header": {"msg_id": 7}, "content": {"code": None}}, ("", ""), ""),
        ({"header": {"msg_id": "r1"}, "content": {"code": "1 + 1"}}, ("", "r1"), "1 + 1"),
        ({"metadata": {"cellId": "4e1"}, "header": {"msg_id": "r1"}}, ("4e1", "r1"), ""),
    ],
)
def test_the_running_cell(
    monkeypatch: pytest.MonkeyPatch, parent: object, cell: tuple[str, str], source: str
) -> None:
    """Of a request of any shape, what it has is read; a program that runs a notebook sends no cell id."""
    monkeypatch.setattr(host, "shell", lambda: SimpleNamespace(get_parent=lambda: parent))
    assert (running_cell(), running_source()) == (cell, source)


@pytest.mark.parametrize("shell", [None, object()])
def test_a_shell_without_cells(monkeypatch: pytest.MonkeyPatch, shell: object) -> None:
    """A script, and a terminal, run no cells."""
    monkeypatch.setattr(host, "shell", lambda: shell)
    assert (running_cell(), running_source(), in_notebook()) == (("", ""), "", False)


#: The id of a request by Python's client, and by a page.
CLIENT_ID, PAGE_ID = "547063eb-e311890e02abd7cd_17271_2", "5470e311-890e-42ab-9d7c-d0e2973e4aaa"


@pytest.mark.parametrize(
    ("request_id", "takes_input", "cell", "is_it"),
    [
        (CLIENT_ID, True, "", True),  # jupyter console
        (CLIENT_ID, False, "", False),  # nbclient, papermill
        (PAGE_ID, True, "", False),  # nbclassic, Colab
        (PAGE_ID, True, "4e1", False),  # JupyterLab
        (CLIENT_ID, True, "4e1", False),  # a server that runs the cells of its page
    ],
)
def test_a_console_with_a_kernel(
    monkeypatch: pytest.MonkeyPatch, request_id: str, takes_input: bool, cell: str, is_it: bool
) -> None:
    """Only a console asks by Python's client and takes input; a page keeps its cards."""
    parent = {
        "header": {"msg_id": request_id},
        "content": {"allow_stdin": takes_input},
        "metadata": {"cellId": cell},
    }
    running = SimpleNamespace(get_parent=lambda: parent, kernel=object())
    monkeypatch.setattr(host, "shell", lambda: running)
    assert in_console() is is_it


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
