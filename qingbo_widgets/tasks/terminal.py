"""The progress of a task as a line of text, for terminals and scripts."""

from __future__ import annotations

import shutil
import sys
import time
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TextIO

from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.console import encodable, write_line

__all__ = ["ProgressLine", "columns_of", "padded"]

BAR = 24


class Shown(Protocol):
    """A task whose progress is shown."""

    status: TaskStatus
    progress: int
    message: str
    video_path: Path | None

    @property
    def shown_progress(self) -> float:
        """The percentage to draw now."""


class ProgressLine:
    """A progress line that is redrawn in a terminal; elsewhere, as in a log, one line is written per step.

    Args:
        task: the task.
        stream: the output stream; standard error by default, so that a script's output stays clean.
        remark: returns a sentence to write below the line at the end; empty for none.
    """

    def __init__(self, task: Shown, stream: TextIO | None = None, *, remark: Callable[[], str] = str) -> None:
        self._task, self._remark = task, remark
        self._stream = sys.stderr if stream is None else stream
        self._redraw = self._stream.isatty()
        self._began = time.monotonic()
        self._last: object = None

    def update(self) -> None:
        """Write the changes."""
        task = self._task
        if self._redraw:
            width = shutil.get_terminal_size().columns - 1
            # Overwrite the old text with spaces, because not every Windows console supports escape sequences.
            self._stream.write("\r" + padded(_shortened(self._text(), width), width))
        else:
            step = (task.status, task.progress // 25, task.video_path)
            if step == self._last:
                return
            self._last = step
            write_line(self._text() + self._path_suffix(), self._stream)
        self._stream.flush()

    def end(self) -> None:
        """Write the last state and leave the line."""
        self.update()
        if self._redraw:
            write_line("\n" + self._path_suffix().lstrip() if self._path_suffix() else "", self._stream)
        if remark := self._remark():
            write_line(remark, self._stream)
        self._stream.flush()

    def _path_suffix(self) -> str:
        return f"  {self._task.video_path}" if self._task.video_path else ""

    def _text(self) -> str:
        task = self._task
        percent = int(task.shown_progress)
        filled = BAR * percent // 100
        bar = "█" * filled + "░" * (BAR - filled)
        elapsed = time.monotonic() - self._began
        note = f"  {task.message}" if task.message else ""
        text = f"{padded(status_name(task.status), 11)} {bar} {percent:3d} %  {elapsed:4.0f} s{note}"
        return encodable(text, self._stream)


def columns_of(text: str) -> int:
    """Return the width of a text in terminal columns; a Chinese character takes two, an accent none."""
    from wcwidth import wcswidth, wcwidth  # imported late: large tables, which a notebook does not need

    columns = wcswidth(text)
    return columns if columns >= 0 else sum(max(wcwidth(character), 0) for character in text)


def padded(text: str, columns: int) -> str:
    """Return the text padded with spaces to ``columns``."""
    return text + " " * (columns - columns_of(text))


def _shortened(text: str, columns: int) -> str:
    """Return the longest prefix of a text that fits in ``columns``."""
    return text[: bisect_right(range(len(text) + 1), columns, key=lambda end: columns_of(text[:end])) - 1]
