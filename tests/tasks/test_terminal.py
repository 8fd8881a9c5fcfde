"""The progress of a task in a terminal."""

from __future__ import annotations

import io
import shutil
from types import SimpleNamespace

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.terminal import ProgressLine, columns_of


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize("message", ["", "锦鲤" * 50_000, "\u0301" * 100_000, "👩\u200d👨" * 30_000])
def test_a_line_is_as_wide_as_the_terminal(message: str) -> None:
    """A message of any length is cut between two characters, and the line does not wrap."""
    task = SimpleNamespace(
        status=qw.TaskStatus.processing, progress=40, shown_progress=40.0, message=message, video_path=None
    )
    stream = Terminal()
    ProgressLine(task, stream).update()
    line = stream.getvalue().removeprefix("\r")
    assert columns_of(line) == shutil.get_terminal_size().columns - 1
    assert "40 %" in line
