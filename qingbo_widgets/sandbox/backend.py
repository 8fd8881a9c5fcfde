"""The backend of the routes: the tasks, the drawing of their videos, and their status."""

from __future__ import annotations

import math
import os
import random
import secrets
import shutil
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..i18n import tr
from .callback import Callback, call
from .contracts.contract import QUOTA, Contract, Json, Price
from .contracts.refusal import Refusal
from .contracts.task_state import TaskState
from .entry import Entry
from .faults import Faults
from .gaps import Gaps
from .idempotency import IdempotencyKeys
from .lifecycle import timeline
from .prices import prices_of
from .published import Published
from .render_pool import DrawFailure, RenderPool

#: Seconds of the simulated spending window.
_WINDOW = 18_000
#: Quota of the simulated spending window.
_CAP = 5_000_000


class NotCancellable(Exception):
    """The task has left the queue or has ended."""


class Backend:
    """The tasks of one sandbox.

    Args:
        contract: the contract that the sandbox keeps.
        gaps: the answers where the documentation of the contract is silent.
        speed: factor by which tasks are faster than those of the real service.
        faults: the faults to simulate.
        link_lifetime: seconds for which a video's link is valid after the task has ended; by default the
            contract's own.
        draft: whether to draw pictures of a quarter of the width and height, equal ones for equal requests.
        credit: the credit of the account in US dollars, where the contract has an account.
        clock: returns Unix seconds; it must never go back, or progress would, too.
    """

    def __init__(
        self,
        contract: Contract,
        gaps: Gaps | None = None,
        *,
        speed: float = 1.0,
        faults: Faults | None = None,
        link_lifetime: float | None = None,
        draft: bool = False,
        credit: float = 20.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.contract = contract
        self.gaps = gaps or Gaps()
        self.speed = speed
        self.link_lifetime = contract.link_lifetime if link_lifetime is None else link_lifetime
        self.draft = draft
        self.granted = int(credit * QUOTA)
        """The credit of the account in quota."""
        self.clock = clock or _steady_clock()
        self.faults = faults or Faults()
        self.prices = {}
        self.base_url = ""
        """The base URL of the routes, without a slash at its end; set once it is known."""
        self.tasks: dict[str, Entry] = {}
        """The tasks by their ids, in the order of submission."""
        self.callbacks: list[Callback] = []
        self.published = Published()
        self.keys = IdempotencyKeys(self.gaps)
        self._folder = Path(tempfile.mkdtemp(prefix="qingbo-sandbox-"))
        self._process = os.getpid()
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        _backends.add(self)
        self._render_pool = RenderPool()
        self._links: dict[str, Entry] = {}
        self._closing = threading.Event()
        self._callers: list[threading.Thread] = []

    @property
    def faults(self) -> Faults:
        """The faults that are simulated from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._window_ends = self.clock() + faults.quota_window

    @property
    def prices(self) -> dict[str, Json]:
        """The present ``price_config`` of each model, a copy; an assignment resets the models it leaves out.

        Raises:
            ValueError: there is no such model in an assignment, or the contract documents no prices.
        """
        return deepcopy(self._prices)

    @prices.setter
    def prices(self, prices: Mapping[str, Mapping[str, Any]]) -> None:
        self._prices = prices_of(self.contract, prices)

    def price(self, body: Json, input_seconds: int = 0) -> Price:
        """Return the price of a valid request at present.

        Args:
            body: the request.
            input_seconds: the length of the input video, if there is one.

        Raises:
            Refusal: the model has no price.
        """
        if self.faults.price_missing:
            raise Refusal(500, "price_not_configured", "the model has no price; nothing was charged")
        order = self.contract.order(body, input_seconds)
        return self.contract.price(body, order, input_seconds, self._prices)

    def refuse_by_fault(self) -> None:
        """Raise the error with which the current faults let a valid submit be answered.

        Raises:
            Refusal: there is such a fault.
        """
        if self.faults.no_balance:
            raise Refusal(402, self.gaps.balance_code, "the balance does not cover this task")
        if self.faults.quota_window and self.clock() < self._window_ends:
            window = {"window": _WINDOW, "used": _CAP, "cap": _CAP, "reset_at": math.ceil(self._window_ends)}
            message = "the quota of this spending window is used up; submit again after reset_at"
            raise Refusal(429, "quota_window_exceeded", message, details=window)

    def submit(self, body: Json, idempotency_key: str = "", input_seconds: int = 0) -> Entry:
        """Accept a valid request and start to draw its video.

        Args:
            body: the request.
            idempotency_key: the value of its header ``Idempotency-Key``; within 24 hours it stands for the
                same task.
            input_seconds: the length of the input video, if there is one.

        Raises:
            Refusal: the model has no price, the balance does not cover the task, or the key refuses the
                request.
        """
        now = self.clock()
        known = self.keys.task_id(idempotency_key, body, now)
        if known is not None:
            return self.tasks[known]
        order = self.contract.order(body, input_seconds)
        frozen = self.price(body, input_seconds).quota
        if self.contract.has_account and frozen > self.granted - self.charged():
            message = f"the task costs {frozen} quota, but only {self.granted - self.charged()} is left"
            raise Refusal(402, self.gaps.balance_code, message)
        task_id = f"task-wave{int(now * 1000)}{secrets.token_hex(6)}"
        entry = Entry(
            task_id,
            body,
            order if self.draft else replace(order, variation=zlib.crc32(task_id.encode())),
            frozen,
            self.faults.settled(frozen),
            now,
            timeline(order, random.random(), self.speed),
            Path(self._folder, f"{task_id}.mp4"),
            secrets.token_urlsafe(24),
        )
        self.tasks[task_id] = self._links[entry.link] = entry
        self.keys.created(idempotency_key, body, now, task_id)
        self._draw(entry)
        if "callback_url" in body:
            caller = threading.Thread(target=self._call_back, args=(entry,), daemon=True)
            self._callers.append(caller)
            caller.start()
        return entry

    def charged(self) -> int:
        """Return the quota that tasks have cost or have frozen."""
        now = self.clock()
        return sum(entry.charged(now) for entry in tuple(self.tasks.values()))

    def state(self, task_id: str, now: float | None = None) -> TaskState:
        """Return a task as it is, or as it was at a time in Unix seconds.

        Raises:
            KeyError: there is no such task.
        """
        entry, now = self.tasks[task_id], self.clock() if now is None else now
        status, end = entry.status(now), entry.end()
        has_ended = status in ("completed", "failed", "cancelled")
        failure = entry.failure if status == "failed" else None
        return TaskState(
            task_id=task_id,
            body=entry.body,
            status=status,
            percent=100 if status == "completed" else entry.percent(now),
            frozen=entry.frozen,
            charged=entry.charged(now),
            now=now,
            created=entry.created,
            started=None if status in ("queued", "cancelled") else entry.starts(),
            ended=end if has_ended else None,
            expires=self._expiry(entry),
            video_url=f"{self.base_url}/videos/{entry.link}.mp4" if status == "completed" else "",
            url=f"{self.base_url}/v1/tasks/{task_id}",
            error_code=failure.code if failure else "",
            error_message=failure.message if failure else "",
        )

    def cancel(self, task_id: str) -> TaskState:
        """Cancel a task that is still queued, and return it.

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
        return self.state(task_id)

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
        """Serve a picture or a video at a URL of the sandbox, and return the URL.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not a JPEG, PNG or WebP picture, nor an MP4 or WebM video.
        """
        return f"{self.base_url}/pictures/{self.published.add(path)}"

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

    def _draw(self, entry: Entry) -> None:
        prompts = (*(shot.prompt for shot in entry.order.shots), entry.body.get("prompt", ""))
        if self.faults.fails(prompts):
            reason = tr("a simulated failure: the sandbox has faults.fail set")
            entry.failure = DrawFailure(self.faults.fail, reason)
            entry.begun, entry.share, entry.drawn = entry.created, 1.0, entry.created
            entry.end_known.set()
            return
        entry.share = 1.0 if self.draft else 0.0  # a draft keeps to its plan: it is drawn within a second
        entry.job = self._render_pool.draw(
            entry.order,
            entry.video,
            lambda failure: self._drawn(entry, failure),
            draft=self.draft,
            report=lambda share: self._drawing(entry, share),
        )

    def _drawing(self, entry: Entry, share: float) -> None:
        if entry.begun is None:
            entry.begun = self.clock()
        entry.share = max(entry.share, share)

    def _drawn(self, entry: Entry, failure: DrawFailure | None) -> None:
        entry.failure, entry.drawn = failure, self.clock()
        entry.end_known.set()

    def _call_back(self, entry: Entry) -> None:
        entry.end_known.wait()
        while (end := entry.end()) is not None and not self._closing.is_set():
            left = end - self.clock()
            if left <= 0:
                state = self.state(entry.task_id, end)
                if self.contract.calls_back(entry.body, state.status):
                    body = self.contract.status(state)
                    self.callbacks.append(call(entry.body["callback_url"], body))
                return
            self._closing.wait(left)

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
