"""A working fake service with faults that tests inject at each stage of a task."""

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
    """The step of a ``FaultServer`` for any number of requests; it creates tasks and counts them.

    Attributes:
        tasks: the number of status requests, by the id of the created task.
        prompts: the prompt of each created task, in order.
        story: the status and the progress at the first status request for a task, the second, and so on.
        cancelled: the ids of the cancelled tasks.
        faults: the steps for the next requests, by stage (``submit``, ``status``, ``cancel``, ``download``).
        is_idempotent: whether a repeated idempotency key returns the task of its first request.
        clock: the offset of this service's clock; positive if it is ahead of ours.
        lifetime: the lifetime of a link.
        keys: the id of the created task, by idempotency key.
    """

    def __init__(self) -> None:
        self.url = ""
        self.tasks: dict[str, int] = {}
        self.prompts: list[str] = []
        self.story = STORY
        self.cancelled: set[str] = set()
        self.faults: defaultdict[str, list[Step]] = defaultdict(list)
        self.is_idempotent = True
        self.clock = timedelta(0)
        self.lifetime = timedelta(hours=24)
        self.keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> bool:
        """Run the next fault of this stage, or answer if there is none."""
        faults = self.faults[stage_of(exchange.request)]
        return faults.pop(0)(exchange) if faults else self.serve(exchange)

    def serve(self, exchange: Exchange) -> bool:
        """Answer as a working service does."""
        request = exchange.request
        stage = stage_of(request)
        if stage == "download":
            return file(VIDEO, ETag='"1"')(exchange)
        if stage == "submit":
            return answer(self._body(self.create_task(request), "queued", 0))(exchange)
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

    def create_task(self, request: Received) -> str:
        """Create the task of a submission and return its id."""
        key = request.headers["idempotency-key"]
        with self._lock:  # two kernels may submit at the same time
            if not self.is_idempotent or key not in self.keys:
                self.keys[key] = f"task-{len(self.tasks) + 1}"
                self.tasks[self.keys[key]] = 0
                self.prompts.append(request.json.get("prompt", ""))
            return self.keys[key]

    def create_then(self, fault: Step) -> Step:
        """Return a step that creates the task, then hides that from the client by a fault."""

        def step(exchange: Exchange) -> bool:
            self.create_task(exchange.request)
            return fault(exchange)

        return step

    def status_with(self, **changes: Any) -> Step:
        """Return a step that sends the true status with some fields changed, all of one moment."""

        def step(exchange: Exchange) -> bool:
            task_id = exchange.request.path.rpartition("/")[2]
            status, progress = self.story[min(self.tasks[task_id], len(self.story) - 1)]
            self.tasks[task_id] += 1
            is_running = changes.get("status") == "processing"  # without the video of a later moment
            body = self._body(task_id, "processing" if is_running else status, progress)
            return answer({**body, **changes})(exchange)

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
    """Return the stage that a request belongs to."""
    if request.path.startswith("/videos/"):
        return "download"
    if request.path.endswith("/cancel"):
        return "cancel"
    return "submit" if request.method == "POST" else "status"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
