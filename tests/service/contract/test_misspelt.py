"""``misspelt``: an unknown field is refused with the name that was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.misspelt import check_names
from qingbo_widgets.service.contract.models import models_of


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("resolutoin", "resolution"), ("duraton", "duration"), ("Duration", "duration"), ("prompts",
        "prompt"),
        ("aspect-ratio", "aspect_ratio"), ("image_url", "image_urls"), ("enable_Audio", "enable_audio"),
        ("grain", ""), ("x", ""),
    ],
)  # fmt: skip
def test_a_misspelt_field(name: str, meant: str) -> None:
    """The error names the field that was meant, and only if there is none, the fields of the contract."""
    with pytest.raises(TypeError) as raised:
        qw.VideoRequest(**{name: 1})  # type: ignore[arg-type]  # the test's own field
    text = str(raised.value)
    if meant:
        assert text == f"VideoRequest() has no parameter {name}; did you mean {meant}?"
    else:
        known = ", ".join((*models_of().parameters, "image"))
        assert text == f"VideoRequest() has no parameter {name}. It takes {known}."


def test_several_names_in_order() -> None:
    """Each has its own suggestion; those without one are listed together."""
    with pytest.raises(TypeError) as raised:
        check_names("generate()", ["seed", "duraton", "grain"], lambda: models_of("2026-11"))
    assert str(raised.value).startswith(
        "generate() has no parameter duraton; did you mean duration? "
        "generate() has no parameter grain, seed. It takes model, action, "
    )
    assert "image_with_roles" in str(raised.value)
    assert "enable_audio" not in str(raised.value), "fields of another contract are listed"


def test_parameters_that_are_no_fields_are_meant_too() -> None:
    """A misspelt ``max_running`` of a sweep is not answered with a list of fields."""
    with pytest.raises(
        TypeError, match=r"^sweep\(\) has no parameter max_runing; did you mean max_running\?$"
    ):
        qw.sweep(prompt=["koi"], max_runing=2)  # type: ignore[call-arg]  # misspelt


def test_the_error_is_in_the_language_of_the_notebook() -> None:
    """A Chinese notebook shows it in Chinese."""
    set_locale("zh")
    try:
        with pytest.raises(TypeError, match=r"^VideoRequest\(\) 没有参数 mdoel；是不是想写 model？$"):
            qw.VideoRequest(mdoel="kling-v3")  # type: ignore[call-arg]  # misspelt
    finally:
        set_locale(None)


@pytest.mark.parametrize(
    ("how", "call"),
    [
        ("generate", "generate"), ("request", "VideoRequest"), ("replace", "VideoRequest"),
        ("submit", "submit"), ("sweep", "sweep"), ("form", "RequestForm"), ("studio", "VideoStudio"),
    ],
)  # fmt: skip
def test_every_way_to_name_a_field_suggests(tmp_path: Path, how: str, call: str) -> None:
    """A request, its copy, a task, a sweep and a form: all say what was meant, and send nothing."""
    client = qw.Client("sk-test-123456", "http://127.0.0.1:9/v1")
    manager = qw.TaskManager(client, qw.Library(tmp_path / "videos"))
    calls: dict[str, Callable[..., Any]] = {
        "generate": qw.generate,
        "request": qw.VideoRequest,
        "replace": qw.VideoRequest().replace,
        "submit": manager.submit,
        "sweep": lambda **fields: qw.sweep(manager=manager, **fields),
        "form": qw.RequestForm,
        "studio": qw.VideoStudio,
    }
    with pytest.raises(
        TypeError, match=rf"^{call}\(\) has no parameter resolutoin; did you mean resolution\?$"
    ):
        calls[how](prompt="koi", resolutoin="720p")
    assert not list(manager.tasks)
    manager.close()
