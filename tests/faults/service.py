"""A service that does its work, but for the faults that are put in its way at a stage of it."""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.film import film
from tests.faults.server import Exchange, Received, Step, answer, file

__all__ = ["VIDEO", "Service"]

VIDEO = film(bytes(range(256)) * 400)
STORY: tuple[tuple[str, int], ...] = (("queued", 0), ("processing", 40), ("completed", 100))


class Service:
    """The step of a ``FaultServer`` that has no end; it makes tasks and counts them.

    Attributes:
        tasks: the tasks made: id and how often it was asked for.
        prompts: the prompt of each task made, in order.
        story: the status and the progress at the first question about a task, the second, and so on.
        cancelled: the ids of the tasks that were cancelled.
        faults: by stage (``submit``, ``status``, ``cancel``, ``download``), what its next requests meet.
        knows_keys: whether a key that came before gets the task that it got then.
        clock: how far this service's clock is ahead of ours.
        lifetime: how long a link lives.
    """

    def __init__(self) -> None:
        self.url = ""
        self.tasks: dict[str, int] = {}
        self.prompts: list[str] = []
        self.story = STORY
        self.cancelled: set[str] = set()
        self.faults: defaultdict[str, list[Step]] = defaultdict(list)
        self.knows_keys = True
        self.clock = timedelta(0)
        self.lifetime = timedelta(hours=24)
        self.keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> bool:
        """Answers, or does what the next fault of this stage does."""
        faults = self.faults[stage_of(exchange.request)]
        return faults.pop(0)(exchange) if faults else self.serve(exchange)

    def serve(self, exchange: Exchange) -> bool:
        """Answers as a service does."""
        request = exchange.request
        stage = stage_of(request)
        if stage == "download":
            return file(VIDEO, ETag='"1"')(exchange)
        if stage == "submit":
            return answer(self._body(self.take(request), "queued", 0))(exchange)
        task_id = request.path.removesuffix("/cancel").rpartition("/")[2]
        if task_id not in self.tasks:
            return answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)(exchange)
        if stage == "cancel":
            self.cancelled.add(task_id)
        if task_id in self.cancelled:
            return answer(self._body(task_id, "cancelled", 0))(exchange)
        status, progress = self.story[min(self.tasks[task_id], len(self.story) - 1)]
        self.tasks[task_id] += 1
        return answer(self._body(task_id, status, progress))(exchange)

    def take(self, request: Received) -> str:
        """Makes the task that a submission asks for."""
        key = request.headers["idempotency-key"]
        with self._lock:  # two kernels may submit in the same moment
            if not self.knows_keys or key not in self.keys:
                self.keys[key] = f"task-{len(self.tasks) + 1}"
                self.tasks[self.keys[key]] = 0
                self.prompts.append(request.json.get("prompt", ""))
            return self.keys[key]

    def taken(self, fault: Step) -> Step:
        """A fault that hides from the client that its task was made."""

        def step(exchange: Exchange) -> bool:
            self.take(exchange.request)
            return fault(exchange)

        return step

    def saying(self, **changes: Any) -> Step:
        """The true status, with some fields changed."""

        def step(exchange: Exchange) -> bool:
            task_id = exchange.request.path.rpartition("/")[2]
            status, progress = self.story[min(self.tasks[task_id], len(self.story) - 1)]
            self.tasks[task_id] += 1
            return answer({**self._body(task_id, status, progress), **changes})(exchange)

        return step

    def _body(self, task_id: str, status: str, progress: int) -> dict[str, Any]:
        now = datetime.now(UTC) + self.clock
        body: dict[str, Any] = {
            "task_id": task_id,
            "model": "kling-v3",
            "action": "generate",
            "status": status,
            "progress": progress,
            "created_at": _milliseconds(now - timedelta(seconds=1)),
        }
        if status == "completed":
            link = {
                "url": f"{self.url}/videos/{task_id}.mp4",
                "expires_at": _milliseconds(now + self.lifetime),
            }
            body |= {"completed_at": _milliseconds(now), "result": {"images": [], "videos": [link]}}
        return body


def stage_of(request: Received) -> str:
    """What a request is about."""
    if request.path.startswith("/videos/"):
        return "download"
    if request.path.endswith("/cancel"):
        return "cancel"
    return "submit" if request.method == "POST" else "status"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
