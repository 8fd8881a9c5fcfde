"""The progress of pip for its user: each step in one line, for the hundreds that pip writes into the log."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

__all__ = ["Steps", "count_in"]

#: Packages between two lines where a line cannot be written over, such as in a log of CI.
EVERY = 25


class Steps:
    """The steps of an installation, read from pip's output.

    On a terminal, one line counts the packages; elsewhere there is a line now and then.

    Args:
        total: the number of packages; 0 if it is not known.
    """

    def __init__(self, total: int) -> None:
        self._total, self._count, self._width = total, 0, 0
        self._is_terminal = sys.stdout.isatty()

    def __call__(self, line: str) -> None:
        """Show what a line of pip's means to the user, if anything."""
        first, _, rest = line.strip().partition(" ")
        if first in ("Collecting", "Ignoring", "Obtaining"):  # "Ignoring": it is for another system
            self._count += 1
            of = f" of {self._total}" if self._total else ""
            self._show(f"   {self._count}{of}: {rest.split(';')[0].split(' ')[0].rstrip(':')}")
        elif line.startswith("Installing collected packages"):
            names = rest.partition(":")[2].split(",")
            self.end()
            print("   copying them" if len(names) > 1 else f"   adding{names[0]}", flush=True)

    def end(self) -> None:
        """End the line that counts."""
        if self._width:
            print(flush=True)
            self._width = 0

    def _show(self, text: str) -> None:
        if self._is_terminal:
            text = text[: shutil.get_terminal_size().columns - 1]
            print("\r" + text.ljust(self._width), end="", flush=True)
            self._width = len(text)
        elif self._count % EVERY == 1:
            print(text, flush=True)


def count_in(listing: Path) -> int:
    """Return the number of packages in a lock file; 0 if there is no such file."""
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum("==" in line for line in lines)
