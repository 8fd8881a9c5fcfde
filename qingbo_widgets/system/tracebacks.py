"""The traceback of our own errors in IPython: the user's lines, without the frames inside this package.

The text of such an error says what happened and what to do; the frames in which it was raised add nothing.
Python itself, scripts and debuggers have the whole traceback.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any

from .host import shell

__all__ = ["rendered", "without_own_frames"]

#: Packages whose frames, below the last line of the user, belong to how this package works.
_PLUMBING = (__name__.partition(".")[0], "asyncio", "concurrent", "contextlib", "functools", "threading")


def rendered(error: BaseException, *, with_frames: bool = True) -> list[str]:
    """Return the lines that IPython shows for an error. Never raise: IPython would show nothing.

    Args:
        error: the error that is shown.
        with_frames: whether to show the user's lines that led to it.
    """
    running, frames = shell(), without_own_frames(error.__traceback__) if with_frames else None
    try:
        if frames is not None and running is not None:
            formatter: Any = running.InteractiveTB
            lines: list[str] = list(formatter.structured_traceback(type(error), error, frames))
            return lines
    except Exception:  # an IPython of another version, or a page that formats otherwise
        pass
    return [f"{type(error).__name__}: {error}"]


def without_own_frames(trace: types.TracebackType | None) -> types.TracebackType | None:
    """Return a traceback that ends at the last frame of the user; ``None`` if there is none."""
    frames: list[types.TracebackType] = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    while frames and _is_plumbing(frames[-1]):
        frames.pop()
    return _linked(reversed(frames))


def _is_plumbing(trace: types.TracebackType) -> bool:
    return str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _PLUMBING


def _linked(frames: Iterable[types.TracebackType]) -> types.TracebackType | None:
    """Return a traceback of these frames, given from the innermost outwards."""
    linked: types.TracebackType | None = None
    for one in frames:
        linked = types.TracebackType(linked, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return linked
