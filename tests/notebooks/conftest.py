"""Fixtures for the tests that run notebooks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def practice(workdir: Path) -> Iterator[Path]:
    """Yield the file that names teaching.ipynb's sandbox process; end the process even after a failure."""
    notes = workdir / "practice-sandbox.json"
    yield notes
    if notes.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(json.loads(notes.read_text())["pid"], signal.SIGTERM)
