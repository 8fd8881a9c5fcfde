"""Draws videos in child processes, so that the kernel that hosts the sandbox stays quick."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

AT_ONCE = 2
#: Drafts that are kept, some tens of kilobytes each: equal requests give equal videos.
KEPT = 64
_PICTURES = ("image_urls", "last_frame")  # what an address leads to may have changed since

_drafts: OrderedDict[str, bytes] = OrderedDict()


@dataclass(frozen=True)
class Mishap:
    """Why a video could not be drawn: the `error` of its task."""

    code: str
    message: str


class Job:
    """One video on its way; cancelling it ends its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the drawing, or see to it that it never begins."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def run(self, order: Mapping[str, Any]) -> Mishap | None:
        """Draw in a child process and wait for it; None when the video is ready.

        A draft of what has been drawn before, in any sandbox of this process, is there at once.
        """
        is_kept = order["draft"] and not any(name in order["request"] for name in _PICTURES)
        what = json.dumps(order["request"], sort_keys=True)
        path = Path(order["path"])
        with self._lock:
            if self._cancelled:
                return Mishap("task_failed", "cancelled")
            draft = _drafts.get(what) if is_kept else None
            if draft is not None:
                path.write_bytes(draft)
                return None
            self._process = subprocess.Popen(
                # Not multiprocessing: it would import the caller's main module again, notebook or script.
                [sys.executable, "-m", f"{__package__}.drawing.render"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=Path(__file__).parents[2],  # where the package is found, even when it is not installed
                # Or interrupting the kernel would interrupt the drawing as well. Windows does it by a console
                # of its own, which without this flag would also be seen.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        with self._process as process:
            said, trouble = process.communicate(json.dumps(order).encode())
        if process.returncode == 0:
            if is_kept:
                _drafts[what] = path.read_bytes()
                while len(_drafts) > KEPT:
                    _drafts.popitem(last=False)
            return None
        try:
            return Mishap(**json.loads(said))
        except (ValueError, TypeError):
            last = trouble.decode(errors="replace").strip().splitlines() or ["the drawing was ended"]
            return Mishap("task_failed", last[-1])


class Workshop:
    """A bench for two: further jobs wait for a place.

    Its threads are daemons of its own: the standard pool's are waited for at the interpreter's exit, and a
    kernel would not end before its videos are drawn.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._jobs: set[Job] = set()
        self._threads: list[threading.Thread] = []

    def draw(self, order: Mapping[str, Any], finished: Callable[[Mishap | None], None]) -> Job:
        """Have a video drawn.

        Args:
            order: What `render.main` reads: the request, the file, whether it is a draft.
            finished: Called on one of the workshop's threads, with what went wrong, if anything.
        """
        job = Job()
        self._jobs.add(job)

        def work() -> None:
            mishap = job.run(order)
            self._jobs.discard(job)
            finished(mishap)

        self._orders.put(work)
        if len(self._threads) < AT_ONCE:
            thread = threading.Thread(target=self._work, name="qingbo-sandbox-draw", daemon=True)
            self._threads.append(thread)
            thread.start()
        return job

    def close(self) -> None:
        """Kill every drawing and wait until all of them are gone."""
        for job in tuple(self._jobs):
            job.cancel()
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (work := self._orders.get()) is not None:
            work()
