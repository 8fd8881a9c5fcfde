"""What stands behind the routes: keeps the tasks, has their videos drawn, and says how each one is doing."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .callback import Callback, call
from .drawing.media import decode, read
from .faults import Faults
from .lifecycle import Timeline, timeline
from .request import prompts_of, quota_of
from .workshop import Job, Mishap, Workshop

Json = dict[str, Any]

KEY_LIFETIME = 86_400.0
"""Seconds for which an idempotency key answers the same task."""


class NotCancellable(Exception):
    """The task has left the queue, or has ended."""


@dataclass
class Entry:
    """A task as the sandbox keeps it. Its state is worked out from these facts and the time of asking."""

    task_id: str
    body: Json
    created: float  # Unix seconds, as all times here
    plan: Timeline
    video: Path
    link: str
    job: Job | None = None
    drawn: float | None = None
    mishap: Mishap | None = None
    cancelled: float | None = None
    end_known: threading.Event = field(default_factory=threading.Event)

    def end(self) -> float | None:
        """When the task ends or ended; None while that is not known yet."""
        if self.cancelled is not None:
            return self.cancelled
        if self.drawn is None:
            return None
        return max(self.drawn, self.created + (self.plan.fails if self.mishap else self.plan.ends))

    def status(self, now: float) -> str:
        """One of the service's five words."""
        end = self.end()
        if self.cancelled is not None:
            return "cancelled"
        if end is not None and now >= end:
            return "failed" if self.mishap else "completed"
        return "queued" if now < self.created + self.plan.starts else "processing"


class Backend:
    """The tasks of one sandbox.

    Args:
        speed: How many times faster than the real service.
        faults: What goes wrong.
        link_lifetime: Seconds that a video's link is valid after the task has ended.
        draft: Draw pictures of a quarter of the width and height.
        clock: Gives Unix seconds; never turned back, or progress would go back as well.
    """

    def __init__(
        self,
        speed: float = 1.0,
        faults: Faults | None = None,
        link_lifetime: float = 86_400.0,
        draft: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.speed = speed
        self.faults = faults or Faults()
        self.link_lifetime = link_lifetime
        self.draft = draft
        self.clock = clock or _steady_clock()
        self.base_url = ""
        """Where the routes are reached, without a slash at its end; set when that is known."""
        self.tasks: dict[str, Entry] = {}
        """The tasks by their ids, in the order of submission."""
        self.callbacks: list[Callback] = []
        self._folder = Path(tempfile.mkdtemp(prefix="qingbo-sandbox-"))
        self._process = os.getpid()
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        _backends.add(self)
        self._workshop = Workshop()
        self._links: dict[str, Entry] = {}
        self._keys: dict[str, Entry] = {}
        self._pictures: dict[str, Path] = {}
        self._closing = threading.Event()
        self._callers: list[threading.Thread] = []

    def submit(self, body: Json, idempotency_key: str = "") -> Json:
        """Take a valid request and begin to draw its video; the service's submit response.

        Args:
            body: The request.
            idempotency_key: Of its header `Idempotency-Key`. Within 24 hours the same key answers the same
                task, whatever the body. The service documents this from contract 2026-11 on; a client of
                2026-04 that sends none, or a new one each time, never notices.
        """
        now = self.clock()
        known = self._keys.get(idempotency_key)
        if known is not None and now < known.created + KEY_LIFETIME:
            status = self._body(known, now)
            return self._head(known, status["status"]) | {"progress": status["progress"]}
        task_id = f"task-wave{int(now * 1000)}{secrets.token_hex(6)}"
        link = secrets.token_urlsafe(24)
        entry = Entry(
            task_id,
            body,
            now,
            timeline(body, random.random(), self.speed),
            Path(self._folder, f"{task_id}.mp4"),
            link,
        )
        self.tasks[task_id] = self._links[link] = entry
        if idempotency_key:
            self._keys[idempotency_key] = entry
        if self.faults.fails(prompts_of(body)):
            entry.mishap = Mishap(self.faults.fail, "the sandbox was asked to let this task fail")
            entry.drawn = now
            entry.end_known.set()
        else:
            order = {"request": body, "path": str(entry.video), "draft": self.draft}
            entry.job = self._workshop.draw(order, lambda mishap: self._drawn(entry, mishap))
        if "callback_url" in body:
            caller = threading.Thread(target=self._call_back, args=(entry,), daemon=True)
            self._callers.append(caller)
            caller.start()
        return self._head(entry, "queued") | {"progress": 0}

    def status(self, task_id: str) -> Json:
        """The service's status response.

        Raises:
            KeyError: There is no such task.
        """
        return self._body(self.tasks[task_id], self.clock())

    def cancel(self, task_id: str) -> Json:
        """Cancel a task that still waits in the queue.

        Raises:
            KeyError: There is no such task.
            NotCancellable: It is past the queue.
        """
        entry, now = self.tasks[task_id], self.clock()
        if entry.status(now) != "queued":
            raise NotCancellable
        entry.cancelled = now
        if entry.job is not None:
            entry.job.cancel()
        entry.end_known.set()
        return {
            "task_id": task_id,
            "status": "cancelled",
            "refunded": True,
            "refunded_quota": quota_of(entry.body),
        }

    def video(self, link: str) -> Path | None:
        """The file behind a link; None once the link has expired.

        Raises:
            KeyError: There is no such link, or nothing behind it yet.
        """
        entry, now = self._links[link], self.clock()
        if entry.status(now) != "completed":
            raise KeyError(link)
        return entry.video if now < self._expiry(entry) else None

    def publish(self, path: str | Path) -> str:
        """Put a picture on the sandbox's own web address.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not a JPEG, PNG or WebP picture.
        """
        source = Path(path).resolve()
        try:
            decode(read(source))
        except ValueError as error:
            raise ValueError(f"{path} {error}") from None
        name = f"{secrets.token_urlsafe(24)}{source.suffix.lower()}"
        self._pictures[name] = source
        return f"{self.base_url}/pictures/{name}"

    def picture(self, name: str) -> Path:
        """The file behind a published picture.

        Raises:
            KeyError: There is none.
        """
        return self._pictures[name]

    def close(self) -> None:
        """End all drawing and calling, and remove the files. A forked child leaves its parent's alone."""
        if os.getpid() != self._process:
            return
        self._closing.set()
        for entry in tuple(self.tasks.values()):
            entry.end_known.set()
        self._workshop.close()
        for caller in self._callers:
            caller.join(0.2)  # one that waits for a slow listener is left to its own, short, timeout
        self._remove()

    def _drawn(self, entry: Entry, mishap: Mishap | None) -> None:
        entry.mishap, entry.drawn = mishap, self.clock()
        entry.end_known.set()

    def _call_back(self, entry: Entry) -> None:
        entry.end_known.wait()
        while (end := entry.end()) is not None and not self._closing.is_set():
            left = end - self.clock()
            if left <= 0:
                self.callbacks.append(call(entry.body["callback_url"], self._body(entry, end)))
                return
            self._closing.wait(left)

    def _head(self, entry: Entry, status: str) -> Json:
        return {
            "task_id": entry.task_id,
            "model": entry.body["model"],
            "action": entry.body.get("action", "generate"),
            "status": status,
            "created_at": _milliseconds(entry.created),
        }

    def _body(self, entry: Entry, now: float) -> Json:
        status, end = entry.status(now), entry.end()
        body = self._head(entry, status)
        if status in ("processing", "completed", "failed"):
            body["start_time"] = _milliseconds(entry.created + entry.plan.starts)
        if status in ("completed", "failed", "cancelled") and end is not None:
            body["completed_at"] = _milliseconds(end)
        age = (now if end is None else min(now, end)) - entry.created
        body["progress"] = 100 if status == "completed" else entry.plan.at(age)
        if status == "failed" and entry.mishap is not None:
            body["error"] = {"message": entry.mishap.message, "code": entry.mishap.code}
        if status == "completed":
            url, expires = f"{self.base_url}/videos/{entry.link}.mp4", _milliseconds(self._expiry(entry))
            body["result"] = {"images": [], "videos": [{"url": url, "expires_at": expires}]}
        task = f"{self.base_url}/v1/tasks/{entry.task_id}"
        return body | {"urls": {"get": task, "cancel": f"{task}/cancel"}}

    def _expiry(self, entry: Entry) -> float:
        return (entry.end() or entry.created) + self.link_lifetime


_backends: weakref.WeakSet[Backend] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """Have the end of a forked child remove nothing."""
    for backend in tuple(_backends):
        backend._remove.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _steady_clock() -> Callable[[], float]:
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
