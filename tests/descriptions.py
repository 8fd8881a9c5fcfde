"""Fixture: a model description with the test's own additions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

INVENTED = """
[parameters.grain]
type = "choice"
label = "Mode"
help = "The length of the video in seconds."
place = "extra.film.grain"
default = "fine"
choices = ["fine", "coarse"]

[models.kling-v9]
description = "5 or 10 s"
takes = ["grain"]
duration = { choices = [5, 12] }
"""
"""A parameter and a model that no service has; the catalogue has Chinese for its texts."""

SCENES = """
[parameters.scenes]
type = "shots"
label = "Shots"
help = "The length of the video in seconds."
options = ["--scene"]
place = "extra.scene_{number}_{key}"
most = 2500
count = [2, 4]
seconds = [3, 15]

[models.kling-v9]
description = "5 or 10 s"
takes = ["scenes"]

[[constraints]]
when = { scenes = "*" }
forbid = ["prompt"]
refusal = "would not be sent, because the shots replace it"
"""
"""Shots under another name than today's."""

NUMBERS = """
[parameters.grain]
type = "choice"
label = "Mode"
help = "The length of the video in seconds."
choices = [720, 1080]

[models.kling-v9]
takes = ["grain"]
"""
"""A parameter whose choices are numbers, and a model that takes it."""


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Yield a function that appends text to the description of contract 2026-04, in a temporary folder."""
    from qingbo_widgets.service.contract import models

    def add(addition: str) -> None:
        own = (models.FOLDER / "2026-04.toml").read_text(encoding="utf-8")
        folder = tmp_path / "descriptions"
        folder.mkdir()
        (folder / "2026-04.toml").write_text(f"{own}\n{addition}", encoding="utf-8")
        monkeypatch.setattr(models, "FOLDER", folder)
        forget()
        models.models_of()

    def forget() -> None:
        models.read_file.cache_clear()
        models.declared.cache_clear()
        if (fields := sys.modules.get("qingbo_widgets.widgets.form.fields")) is not None:
            fields.fields.cache_clear()

    yield add
    monkeypatch.undo()
    forget()
