"""The backend of the routes: the tasks, the drawing of their videos, and their status."""

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
from .render_pool import DrawFailure, Job, RenderPool
from .request import order_of, prompts_of, quota_of

Json = dict[str, Any]

KEY_LIFETIME = 86_400.0
"""Seconds for which an idempotency key returns the same task."""


class NotCancellable(Exception):
    """The task has left the queue or has ended."""


@dataclass
class Entry:
    """A task of the sandbox. Its status is computed from these facts and the time of the request."""

    task_id: str
    body: Json
    created: float  # Unix seconds, as all times here
    plan: Timeline
    video: Path
    link: str
    job: Job | None = None
    drawn: float | None = None
    failure: DrawFailure | None = None
    cancelled: float | None = None
    end_known: threading.Event = field(default_factory=threading.Event)

    def end(self) -> float | None:
        """Return the time at which the task ends or ended, or ``None`` while that is unknown."""
        if self.cancelled is not None:
            return self.cancelled
        if self.drawn is None:
            return None
        return max(self.drawn, self.created + (self.plan.fails if self.failure else self.plan.ends))

    def status(self, now: float) -> str:
        """Return one of the service's five statuses."""
        end = self.end()
        if self.cancelled is not None:
            return "cancelled"
        if end is not None and now >= end:
            return "failed" if self.failure else "completed"
        return "queued" if now < self.created + self.plan.starts else "processing"


class Backend:
    """The tasks of one sandbox.

    Args:
        speed: factor by which tasks are faster than those of the real service.
        faults: the faults to simulate.
        link_lifetime: seconds for which a video's link is valid after the task has ended.
        draft: whether to draw pictures of a quarter of the width and height.
        clock: returns Unix seconds; it must never go back, or progress would, too.
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
        """The base URL of the routes, without a slash at its end; set once it is known."""
        self.tasks: dict[str, Entry] = {}
        """The tasks by their ids, in the order of submission."""
        self.callbacks: list[Callback] = []
        self._folder = Path(tempfile.mkdtemp(prefix="qingbo-sandbox-"))
        self._process = os.getpid()
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        _backends.add(self)
        self._render_pool = RenderPool()
        self._links: dict[str, Entry] = {}
        self._keys: dict[str, Entry] = {}
        self._pictures: dict[str, Path] = {}
        self._closing = threading.Event()
        self._callers: list[threading.Thread] = []

    def submit(self, body: Json, idempotency_key: str = "") -> Json:
        """Accept a valid request and start to draw its video; return the service's submit response.

        Args:
            body: the request.
            idempotency_key: the value of its header ``Idempotency-Key``. Within 24 hours the same key returns
                the same task, whatever the body. The service documents this from contract 2026-11 on; it does
                not affect a client of 2026-04, which sends no key, or a new one each time.
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
            entry.failure = DrawFailure(self.faults.fail, "the sandbox is set to let this task fail")
            entry.drawn = now
            entry.end_known.set()
        else:
            entry.job = self._render_pool.draw(
                order_of(body), entry.video, lambda failure: self._drawn(entry, failure), draft=self.draft
            )
        if "callback_url" in body:
            caller = threading.Thread(target=self._call_back, args=(entry,), daemon=True)
            self._callers.append(caller)
            caller.start()
        return self._head(entry, "queued") | {"progress": 0}

    def status(self, task_id: str) -> Json:
        """Return the service's status response.

        Raises:
            KeyError: there is no such task.
        """
        return self._body(self.tasks[task_id], self.clock())

    def cancel(self, task_id: str) -> Json:
        """Cancel a task that is still queued.

        Raises:
            KeyError: there is no such task.
            NotCancellable: the task has left the queue.
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
        """Return the file of a link, or ``None`` once the link has expired.

        Raises:
            KeyError: there is no such link, or its video does not exist yet.
        """
        entry, now = self._links[link], self.clock()
        if entry.status(now) != "completed":
            raise KeyError(link)
        return entry.video if now < self._expiry(entry) else None

    def publish(self, path: str | Path) -> str:
        """Serve a picture at a URL of the sandbox, and return the URL.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not a JPEG, PNG or WebP picture.
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
        """Return the file of a published picture.

        Raises:
            KeyError: there is no such picture.
        """
        return self._pictures[name]

    def close(self) -> None:
        """Stop all drawing and callbacks, and remove the files. In a forked child, do nothing."""
        if os.getpid() != self._process:
            return
        self._closing.set()
        for entry in tuple(self.tasks.values()):
            entry.end_known.set()
        self._render_pool.close()
        for caller in self._callers:
            caller.join(0.2)  # a callback to a slow listener ends by its own, short, timeout
        self._remove()

    def _drawn(self, entry: Entry, failure: DrawFailure | None) -> None:
        entry.failure, entry.drawn = failure, self.clock()
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
        if status == "failed" and entry.failure is not None:
            body["error"] = {"message": entry.failure.message, "code": entry.failure.code}
        if status == "completed":
            url, expires = f"{self.base_url}/videos/{entry.link}.mp4", _milliseconds(self._expiry(entry))
            body["result"] = {"images": [], "videos": [{"url": url, "expires_at": expires}]}
        task = f"{self.base_url}/v1/tasks/{entry.task_id}"
        return body | {"urls": {"get": task, "cancel": f"{task}/cancel"}}

    def _expiry(self, entry: Entry) -> float:
        return (entry.end() or entry.created) + self.link_lifetime


_backends: weakref.WeakSet[Backend] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """Prevent a forked child from removing its parent's files when it exits."""
    for backend in tuple(_backends):
        backend._remove.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _steady_clock() -> Callable[[], float]:
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
