"""``misspelt``: an unknown field is refused with the name that was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.misspelt import named


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
    """The suggestion is a field; a name that is like none has no suggestion."""
    text = named([name], qw.VideoRequest.field_names())
    assert text == (f"{name} (did you mean {meant}?)" if meant else name)


def test_several_names_in_order() -> None:
    """Each has its own suggestion."""
    assert named(["seed", "duraton"], ["duration"]) == "duraton (did you mean duration?), seed"


@pytest.mark.parametrize("how", ["request", "replace", "submit", "sweep", "form"])
def test_every_way_to_name_a_field_suggests(tmp_path: Path, how: str) -> None:
    """A request, its copy, a task, a sweep and a form: all say what was meant, and send nothing."""
    client = qw.Client("sk-test-123456", "http://127.0.0.1:9/v1")
    manager = qw.TaskManager(client, qw.Library(tmp_path / "videos"))
    calls: dict[str, Callable[..., Any]] = {
        "request": qw.VideoRequest,
        "replace": qw.VideoRequest().replace,
        "submit": manager.submit,
        "sweep": lambda **fields: qw.sweep(manager=manager, **fields),
        "form": qw.RequestForm,
    }
    with pytest.raises(TypeError, match=r"resolutoin \(did you mean resolution\?\)"):
        calls[how](prompt="koi", resolutoin="720p")
    assert not list(manager.tasks)
    manager.close()
