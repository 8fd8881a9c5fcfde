"""The tables in README and docs are those of the models' descriptions."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def tool() -> ModuleType:
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", ["README.md", "README.zh.md", "docs/models.md", "docs/models.zh.md"])
def test_the_tables_are_current(file: str) -> None:
    """A reader of the documents sees what the models take today."""
    current = tool().written(file)
    assert (ROOT / file).read_text(encoding="utf-8") == current, "run: python3 tools/tables.py"


def test_every_parameter_has_a_row() -> None:
    """No parameter of a model is missing from the tables, and each model has its column."""
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for name in ("multi_prompt", "keep_original_sound", "camera_control", "callback_events"):
        assert f"| `{name}` |" in text
    for model in ("kling-v3-motion-control", "kling-v2-master"):
        assert f"| `{model}` |" in text
