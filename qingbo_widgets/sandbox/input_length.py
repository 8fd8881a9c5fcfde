"""The length of a request's input video, read before the request is accepted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .contracts.contract import InputVideo
from .contracts.refusal import Refusal
from .drawing.source import UnreachableVideo, UnusableVideo, probe
from .gaps import Gaps

ASSUMED_SECONDS = 5
"""The length of a video on a host that this machine cannot reach, since a sandbox may be offline."""

T = TypeVar("T")


async def seconds_of(video: InputVideo, gaps: Gaps) -> int:
    """Return the length of an input video in whole seconds, truncated and at least 1.

    Raises:
        Refusal: the length cannot be read, or the model takes no video of this length.
    """
    try:
        source = await _in_thread(lambda: probe(video.url))
    except UnusableVideo as error:
        if isinstance(error, UnreachableVideo) and gaps.unreachable_video == "assumed":
            return ASSUMED_SECONDS
        if gaps.unreadable_video == "billed":
            return video.most
        raise Refusal(400, "input_video_duration_unknown", str(error), video.param) from None
    seconds = max(1, int(source.seconds))
    if not video.least <= seconds <= video.most:
        message = f"{video.param} lasts {source.seconds:.1f} s; it must last {video.least} to {video.most} s"
        raise Refusal(400, "invalid_parameter", message, video.param)
    return seconds


async def _in_thread(function: Callable[[], T]) -> T:
    """Call a function on a daemon thread, so that no slow host delays the end of the server or the kernel."""
    outcome: Future[T] = Future()

    def work() -> None:
        outcome.set_running_or_notify_cancel()  # from here on a request that is dropped does not cancel it
        try:
            outcome.set_result(function())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=work, name="qingbo-sandbox-probe", daemon=True).start()
    return await asyncio.wrap_future(outcome)
