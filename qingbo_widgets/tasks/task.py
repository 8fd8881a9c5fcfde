"""``Task``: one video in the making, as a person or a widget observes it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import late
from ..exceptions import QingboError, WaitTimeout
from ..i18n import tr
from ..media.frames import contact_sheet, continuation, keep_frame
from ..service.contract.request import VideoRequest
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..system.console import say
from ..system.host import in_notebook
from ..system.interrupts import outcome, uninterrupted
from .clocks import next_moment
from .lifecycle import Lifecycle
from .observers import call_safely
from .saved_video import copy_video, frame_of, video_of
from .state import TaskState
from .terminal import ProgressLine

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..library.library import Library
    from ..sandbox import Sandbox
    from ..service.client import Client
    from .background.loop import TaskMonitor
    from .schedule import Outlook

__all__ = ["Cancellable", "Owner", "Task"]

#: Seconds between two looks at the clock while ``wait`` blocks; Kernel → Interrupt ends it at once.
TICK = 0.1


class Cancellable(Protocol):
    """A follower that can cancel its task."""

    async def cancel(self) -> None:
        """Cancel the task at the service, or before it gets there."""


class Owner(Protocol):
    """The part of the manager that a task uses."""

    client: Client
    library: Library
    monitor: TaskMonitor
    sandbox: Sandbox | None

    @property
    def service(self) -> str:
        """The name of the service in the journal."""

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""

    @property
    def is_sandbox(self) -> bool:
        """Whether the sandbox answers in place of the service."""

    @property
    def is_local(self) -> bool:
        """Whether what answers runs on this machine."""

    def submit(self, request: VideoRequest | None = None, **fields: Any) -> Task:
        """Submit another task."""

    def publish(self, picture: Path) -> str:
        """Return a URL at which the service can read a picture of this machine."""

    def follow(self, task: Task, **how: Any) -> Task:
        """Start following a task, as ``TaskManager.follow``."""

    async def check(self, task: Task, task_id: str) -> None:
        """Find out what became of an unconfirmed submission, as ``reconcile.check``."""


class Task(TaskState):
    """One task: its traits follow it, and any of them can be observed or linked.

    Tasks are made by ``generate``, ``TaskManager.submit`` and ``TaskManager.resume``. The traits are
    read-only and set on the background thread, all those of one answer together. An observer runs on that
    thread, so it should be quick; what takes long belongs into ``on_end``.

    At the end of a notebook cell a task shows its live card. Showing it twice polls nothing twice.

    Attributes:
        request: the request, ``None`` for a resumed task that this library has never seen.
        key: the idempotency key, made here; it names the task before the service does.
        submitted_at: when it was submitted, UTC.
        contract: the date of the service's contract that carries it.
        manager: the manager that follows it.
        lifecycle: whether it is followed or done. It and the next two are for what follows the task.
        follower: follows it, or did.
        outlook: how it will probably go on.
    """

    def __init__(
        self,
        manager: Owner,
        request: VideoRequest | None,
        *,
        key: str | None = None,
        submitted_at: datetime | None = None,
        contract: str | None = None,
        **state: Any,
    ) -> None:
        super().__init__()
        self.manager = manager
        self.request = request
        self.key = key or uuid.uuid4().hex
        self.submitted_at = submitted_at or next_moment()
        self.contract = contract or manager.client.contract.name
        self.lifecycle = Lifecycle(manager.monitor.call_back)
        self.follower: Cancellable | None = None
        self.outlook: Outlook | None = None
        self._shown = False
        initial = {"status": TaskStatus.submitting, "model": request.model if request else ""}
        self.set_traits(**(initial | state))

    def __repr__(self) -> str:
        name = self.task_id or f"key {self.key[:8]}"
        where = f" {str(self.video_path)!r}" if self.video_path else ""
        return f"<Task {name} {self.status} {self.progress} %{where}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError(f"a task cannot be pickled; keep its id and call resume({self.task_id!r})")

    @property
    def shown_progress(self) -> float:
        """Percent to draw now: it moves as predicted between two answers, never back, never to 100."""
        if self.outlook is None or self.is_done or self.status.is_ended:
            return float(self.progress)
        return max(float(self.progress), self.outlook.progress(time.monotonic()))

    @property
    def seconds_left(self) -> float | None:
        """``eta`` counted down to this moment; ``None`` where nothing can honestly be said."""
        if self.outlook is None or self.eta is None:
            return self.eta
        return self.outlook.left(time.monotonic())

    @property
    def planned_path(self) -> Path:
        """Where the video is saved, or will be; ``video_path`` is set once it is there."""
        title = self.model
        if self.request is not None:
            title = " ".join(self.request.prompts)
        return self.manager.library.video_path(title, self.key)

    # ------------------------------------------------------------------ waiting

    @property
    def is_done(self) -> bool:
        """Whether nothing more happens by itself: the video is saved, or ``error`` says why not."""
        return self.lifecycle.is_done

    def wait(self, timeout: float | None = None) -> Task:
        """Block until the video is saved.

        In a terminal or a script a line of text shows the progress; in a notebook the task's card is shown,
        unless it is on screen already. An interrupt ends the waiting and leaves the task running.

        Args:
            timeout: seconds to wait at most, ``None`` for as long as it takes.

        Raises:
            TaskFailed, TaskCancelled: the task ended without a video.
            SubmissionUnconfirmed: it is not known whether the service took the task.
            ServiceError, ConnectionFailed: the service refused the task, or was not reached.
            DownloadFailed: the task is completed and the video could not be saved.
            WaitTimeout: the time is over; the task goes on.
            QingboError: called in a forked process, where nothing follows the task.
            RuntimeError: called in an observer, on the very thread that would have to end the waiting.
        """
        if not self.is_done:
            self.manager.monitor.process.check()
        if not self.is_done and self.manager.monitor.is_current_thread:
            raise RuntimeError("wait() in an observer would wait for itself; use on_end(), or await the task")
        deadline = None if timeout is None else time.monotonic() + timeout
        line = None
        if not self.is_done and not in_notebook():
            line = ProgressLine(self)
        elif not self.is_done and not self._shown:
            self.show()
        try:
            while not self.lifecycle.wait(_until(deadline)):
                if line is not None:
                    line.update()
                if deadline is not None and time.monotonic() >= deadline:
                    told = tr(
                        "The task {task} is not done after {timeout:g} s ({status}, {progress} %). It goes "
                        "on, and wait() can be called again."
                    )
                    told = told.format(timeout=timeout, progress=self.progress, **self._named())
                    raise WaitTimeout(told, task_id=self.task_id)
        finally:
            if line is not None:
                line.end()
        return self._result()

    def __await__(self) -> Generator[Any, None, Task]:
        return self._ended().__await__()

    def on_end(self, callback: Callable[[Task], object]) -> None:
        """Call ``callback(task)`` once when the task is done; at once if it is already.

        It runs on a thread of its own, where it may block, so it must not assume the main thread.

        Raises:
            QingboError: called in a forked process, where nothing follows the task.
        """
        self.manager.monitor.process.check()
        self.lifecycle.on_end(partial(call_safely, callback, self))

    # ------------------------------------------------------------------ acting

    def cancel(self, *, wait: bool = True) -> None:
        """Ask the service to cancel the task. It does so only while the task is queued, and refunds it.

        Calls from several threads at once are one: the service is asked once, and all have its answer.

        Args:
            wait: whether to wait for the answer, and to raise what went wrong; otherwise ``message`` tells.

        Raises:
            BadRequest: the service no longer cancels it: it is being rendered, or has ended.
            QingboError: the service has not confirmed it, so it cannot be cancelled; ``check`` it first.
            TaskNotFound, ConnectionFailed, ServiceError: as the service says.
        """
        if self.follower is None:
            told = tr("The task {task} is not being followed; resume({task!r}) first.")
            raise QingboError(told.format(task=self.task_id))
        self._ask(self.manager.monitor.start(self.follower.cancel), wait)

    def check(self, task_id: str = "", *, wait: bool = True) -> None:
        """Find out what became of an unconfirmed submission. Costs nothing.

        The service does not find a task by its idempotency key, but its dashboard lists the tasks. With the
        id from there, the task is taken up and followed like any other. Without one, the service is asked
        whether it answers at all, and ``message`` says what to look for.

        Args:
            task_id: the id that the dashboard shows.
            wait: whether to wait for the answer, and to raise what went wrong; otherwise ``message`` tells.

        Raises:
            TaskNotFound: the service does not know this id.
            ConnectionFailed, ServiceError: the service cannot be asked at the moment.
            QingboError: the task is not unconfirmed, or the id is that of another task.
        """
        if self.status != TaskStatus.unconfirmed or not self.is_done:
            told = tr("The task {task} is {status}: only an unconfirmed submission needs to be checked.")
            raise QingboError(told.format(**self._named()))
        self._ask(self.manager.monitor.start(self.manager.check, self, task_id.strip()), wait)

    def submit_again(self) -> None:
        """Submit once more, with the same idempotency key, a task that is unconfirmed or was never taken.

        A service that knows the key answers with the first task; one that does not bills a second. Of calls
        from several threads at once, one submits, and the others raise.

        Raises:
            QingboError: the task is not of that kind, so there is nothing to submit again; or it was made
                under another contract than the manager's client speaks.
        """
        self.manager.monitor.check_open()
        if self.resubmit():
            return
        told = tr(
            "The task {task} is {status}: only a task that the service has not confirmed is submitted "
            "again. generate() makes a new one."
        )
        raise QingboError(told.format(**self._named()))

    def follow_again(self) -> None:
        """Follow on a task that the service took and that nobody follows now. Costs nothing.

        For one that was left because the key was refused, or because the service did not find it. A task
        that is being followed is left as it is.

        Raises:
            QingboError: there is nothing to follow: it has ended, or the service has not confirmed it.
        """
        self.manager.monitor.check_open()
        if not self.can_be_followed:
            told = tr("The task {task} is {status}: there is nothing to follow.")
            raise QingboError(told.format(**self._named()))
        with uninterrupted():
            if self.lifecycle.claim(lambda: self.can_be_followed):
                self.manager.follow(self, error=None, message="")

    def retry_download(self) -> None:
        """Save the video of a completed task again, with a fresh link. Costs nothing.

        Does nothing where it is being saved already, by another thread say.

        Raises:
            QingboError: the manager is closed.
        """
        self.manager.monitor.check_open()
        with uninterrupted():
            if self.lifecycle.claim(lambda: self.status == TaskStatus.completed and self.video_path is None):
                self.manager.follow(self)

    def save(self, path: str | Path) -> Path:
        """Copy the video to another place; waits for the task if need be.

        Args:
            path: a file, or a folder that exists, which then gets a file of the same name.

        Returns:
            Where the copy is.

        Raises:
            OSError: the place cannot be written.
            QingboError: what ``wait`` raises.
        """
        return copy_video(self.wait(), path)

    def frame(self, seconds: float | None = None, *, number: int | None = None) -> Image:
        """One frame of the saved video, as a PIL image.

        Args:
            seconds: the time, from 0 to the video's length; or
            number: which frame: 0 is the first, -1 the last.

        Raises:
            ValueError: the video has no such frame.
            QingboError: the video is not saved.
            ImportError: the extra ``[frames]`` is not installed.
        """
        return frame_of(self, seconds, number)

    def frames(self, count: int = 9, *, columns: int | None = None, width: int = 320) -> Image:
        """A contact sheet as a PIL image: frames from the first to the last, each with its time.

        Args:
            count: how many frames.
            columns: how many side by side; about as many as there are rows when left out.
            width: of each frame, in pixels.

        Raises:
            QingboError, ImportError: as in ``frame``.
        """
        return contact_sheet(video_of(self), count, columns=columns, width=width)

    def continue_from_last_frame(self, prompt: str, **fields: Any) -> Task:
        """Submit a video that begins where this one ends, with the same settings but for ``fields``.

        The service reads pictures from public URLs only: ``connect(upload=f)`` gives a function that uploads
        the frame's file and returns its URL. With the sandbox nothing is needed.

        Args:
            prompt: what happens next.
            **fields: as in ``VideoRequest``.

        Raises:
            QingboError: the video is not saved, or there is no way to publish its last frame.
            InvalidRequest: the service would refuse it; nothing was sent.
            ImportError: the extra ``[frames]`` is not installed.
        """
        picture = self.manager.publish(keep_frame(video_of(self), None))
        request = self.request or VideoRequest(self.model)
        return self.manager.submit(continuation(request, picture, prompt, **fields))

    def export_html(self, path: str | Path) -> Path:
        """Write what a colleague opens without Jupyter: the video with its request.

        Args:
            path: one file with the video inside it, where it ends in ``.html``; else a folder.

        Returns:
            The page.

        Raises:
            QingboError: the video is not saved, or is too large for one file.
            OSError: the place cannot be written.
        """
        exported: Path = late.export_task(self, Path(path).expanduser())
        return exported

    # ------------------------------------------------------------------ showing

    def show(self, *, embed: bool = False) -> None:
        """Show the task's live card in the notebook; in a terminal, print where it stands.

        Args:
            embed: put the saved video (up to 20 MB) into the notebook itself, where its file is not served.
        """
        self._shown = True
        if not in_notebook():
            say(repr(self))
            return
        late.show_task(self, embed=embed)

    def _ipython_display_(self) -> None:
        self.show()

    # ------------------------------------------------------------------ for the follower, on its thread

    def resubmit(self, **how: Any) -> bool:
        """Do as ``submit_again``, but return ``False`` where there is nothing to submit again.

        Args:
            **how: for ``TaskManager.follow``.

        Raises:
            QingboError: as ``check_contract``.
        """
        if self.can_be_submitted:
            self.check_contract()
        with uninterrupted():
            if not self.lifecycle.claim(lambda: self.can_be_submitted):
                return False
            known, self.submitted_at = self.submitted_at, next_moment()
            how |= {"submit": True, "known_at": known}
            self.manager.follow(self, status=TaskStatus.submitting, error=None, **how)
        return True

    def check_contract(self) -> None:
        """Make sure that the task can be submitted once more as what it was.

        Under another contract its body may mean something else, and its idempotency key nothing.

        Raises:
            QingboError: it was made under another contract than the manager's client speaks.
        """
        spoken = self.manager.client.contract.name
        if self.contract != spoken:
            told = tr(
                "The task {task} was made under contract {contract:.20} of the service, and this connection "
                "speaks {spoken}: it is not submitted again, since the service might take it for another one "
                "and charge both. Connect with QINGBO_CONTRACT={contract:.20}, in a version of this package "
                "that speaks it, and submit it again there. If the service's dashboard shows it, "
                "check(its id) takes it up, which costs nothing."
            )
            raise QingboError(told.format(contract=self.contract, spoken=spoken, **self._named()))

    def reopen(self, follower: Cancellable | None, **changes: Any) -> None:
        """Be followed by this one from now on, with some traits changed."""
        self.follower = follower
        self.set_traits(**changes)

    def _ask(self, asked: Future[None], wait: bool) -> None:
        # On the monitor's thread, in an observer, the answer could never come while we wait for it.
        if wait and not self.manager.monitor.is_current_thread:
            try:
                outcome(asked)
            except CancelledError:
                self.manager.monitor.check_open()
                raise
        else:
            with uninterrupted():
                asked.add_done_callback(self._tell_failure)

    def _tell_failure(self, asked: Future[None]) -> None:
        error = None if asked.cancelled() else asked.exception()
        if error is not None:
            with suppress(QingboError):  # the manager was closed: its tasks tell that
                self.manager.monitor.call_soon(lambda: self.set_traits(message=str(error)))

    @property
    def can_be_submitted(self) -> bool:
        """Whether ``submit_again`` would submit it, once it is done."""
        return self.request is not None and not self.task_id

    @property
    def can_be_followed(self) -> bool:
        """Whether the service has it, and something more can come of it."""
        is_over = self.status in (TaskStatus.failed, TaskStatus.cancelled) or self.video_path is not None
        return bool(self.task_id) and not is_over

    def _named(self) -> dict[str, str]:
        """The task and where it stands, for a text that names both."""
        return {"task": self.task_id or self.key[:8], "status": status_name(self.status)}

    def _result(self) -> Task:
        if self.error is not None:
            # A fresh traceback each time: the same error may be raised from several waits.
            raise self.error.with_traceback(None)
        return self

    async def _ended(self) -> Task:
        if not self.is_done:
            self.manager.monitor.process.check()
        await self.lifecycle.until_done()
        return self._result()


def _until(deadline: float | None) -> float:
    return TICK if deadline is None else max(0.0, min(TICK, deadline - time.monotonic()))
