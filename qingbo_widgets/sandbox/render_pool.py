"""Drawing of videos in child processes, so that the kernel that hosts the sandbox stays responsive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import IO, Any

from ..i18n import locale, tr
from .order import Order

_CONCURRENT = 2
#: Cached drafts, some tens of kilobytes each: equal requests produce equal videos.
_MOST_DRAFTS = 64

_drafts: OrderedDict[str, bytes] = OrderedDict()


@dataclass(frozen=True)
class DrawFailure:
    """The reason why a video could not be drawn: the ``error`` of its task."""

    code: str
    message: str


class Job:
    """The drawing of one video; cancelling it ends its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Stop the drawing, or prevent it from starting."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def run(
        self,
        order: Order,
        path: Path,
        *,
        draft: bool = False,
        report: Callable[[float], object] = lambda _: None,
    ) -> DrawFailure | None:
        """Draw in a child process and wait for it; return ``None`` when the video is ready.

        A draft that any sandbox of this process has drawn before is returned from the cache at once, unless
        it shows the content of a URL, which may have changed since.

        Args:
            order: the video to draw.
            path: the mp4 file to write.
            draft: True to draw a draft.
            report: called with the share of the drawing that is done, 0 to 1.
        """
        is_cacheable = draft and not order.urls
        task = json.dumps({"order": order.as_dict(), "path": str(path), "draft": draft})
        cache_key = json.dumps(order.as_dict(), sort_keys=True)
        with TemporaryFile() as errors:
            with self._lock:
                if self._cancelled:
                    return DrawFailure("task_failed", "cancelled")
                cached = _drafts.get(cache_key) if is_cacheable else None
                if cached is not None:
                    path.write_bytes(cached)
                    return None
                self._process = _start_process(errors)
            answer = _follow(self._process, task.encode(), report)
            if self._process.returncode == 0:
                if is_cacheable:
                    _drafts[cache_key] = path.read_bytes()
                    while len(_drafts) > _MOST_DRAFTS:
                        _drafts.popitem(last=False)
                return None
            if "code" in answer:
                return DrawFailure(answer["code"], answer["message"])
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            return DrawFailure("task_failed", lines[-1] if lines else tr("the drawing process was killed"))


def _start_process(errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # Not multiprocessing, which would import the caller's main module again, notebook or script.
        [sys.executable, "-m", f"{__package__}.drawing.render"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,  # not a pipe, which nothing would empty while the progress is read
        env={**os.environ, "LANGUAGE": locale()},  # the texts of its errors, as set_locale() has chosen
        cwd=Path(__file__).parents[2],  # the package's folder, even if it is not installed
        # Otherwise an interrupt of the kernel would interrupt the drawing, too. Windows uses a separate
        # console, which without this flag would be visible.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _follow(
    process: subprocess.Popen[bytes], task: bytes, report: Callable[[float], object]
) -> dict[str, Any]:
    """Give a process its task, report its progress until it has ended, and return its last other line."""
    answer: dict[str, Any] = {}
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError), process.stdin as stdin:  # the process was killed at once
            stdin.write(task)
        for text in process.stdout:
            with suppress(ValueError):  # the process was killed within a line
                line = json.loads(text)
                if "share" in line:
                    report(line["share"])
                else:
                    answer = line
    return answer


class RenderPool:
    """A pool that draws two videos at a time; further jobs wait in a queue.

    It has its own daemon threads, because the interpreter waits for those of the standard pool at exit, and a
    kernel would not end before its videos are drawn.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._jobs: set[Job] = set()
        self._threads: list[threading.Thread] = []

    def draw(
        self,
        order: Order,
        path: Path,
        finished: Callable[[DrawFailure | None], None],
        *,
        draft: bool = False,
        report: Callable[[float], object] = lambda _: None,
    ) -> Job:
        """Start a job that draws a video, and return it.

        Args:
            order: the video to draw.
            path: the mp4 file to write.
            finished: called on one of the pool's threads with the failure, or ``None``.
            draft: True to draw a draft.
            report: called on the same thread with the share of the drawing that is done: with 0 as soon as
                the video's turn has come.
        """
        job = Job()
        self._jobs.add(job)

        def work() -> None:
            try:
                report(0.0)
                failure = job.run(order, path, draft=draft, report=report)
            except Exception as error:  # without an end, the task would run for ever
                reason = tr("the sandbox cannot draw this video: {reason}").format(reason=error)
                failure = DrawFailure("task_failed", reason)
            self._jobs.discard(job)
            finished(failure)

        self._orders.put(work)
        if len(self._threads) < _CONCURRENT:
            thread = threading.Thread(target=self._work, name="qingbo-sandbox-draw", daemon=True)
            try:
                thread.start()
                self._threads.append(thread)
            except RuntimeError:  # no thread is left: those that run draw it, or nothing can
                if not self._threads:
                    finished(DrawFailure("task_failed", tr("the sandbox has no thread left to draw with")))
        return job

    def close(self) -> None:
        """Kill every drawing process and wait until all have ended."""
        for job in tuple(self._jobs):
            job.cancel()
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (work := self._orders.get()) is not None:
            work()
