"""The progress of a task in a terminal."""

from __future__ import annotations

import io
import shutil
from types import SimpleNamespace

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks.terminal import ProgressLine, columns_of


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize("message", ["", "锦鲤" * 50_000, "\u0301" * 100_000, "👩\u200d👨" * 30_000])
def test_a_line_is_as_wide_as_the_terminal(message: str) -> None:
    """However long the message is: it is cut between two characters, and the line is not broken."""
    task = SimpleNamespace(
        status=qw.TaskStatus.processing, progress=40, shown_progress=40.0, message=message, video_path=None
    )
    stream = Terminal()
    ProgressLine(task, stream).update()
    line = stream.getvalue().removeprefix("\r")
    assert columns_of(line) == shutil.get_terminal_size().columns - 1
    assert "40 %" in line
