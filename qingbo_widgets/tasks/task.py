"""``Task``: one video task, with traits that users and widgets observe."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from .. import late
from ..exceptions import QingboError, WaitTimeout
from ..i18n import N_, tr
from ..library.merging import earliest
from ..library.other_videos import is_noted
from ..media.frames import contact_sheet, continuation, save_frame
from ..service.contract.problem import assigned
from ..service.contract.request import VideoRequest
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..service.contract.switching import defaults_between
from ..service.contract.terms import terms_of
from ..system.console import write_line
from ..system.host import in_notebook, running_cell, running_source, warn
from ..system.interrupts import outcome, uninterrupted
from ..system.times import local_time
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
    from ..service.contract.fields import EveryField, FieldsAndModel
    from .background.loop import TaskMonitor
    from .schedule import Forecast

__all__ = ["Cancellable", "Owner", "Task"]

#: Seconds between two checks while ``wait`` blocks; Kernel → Interrupt ends the wait at once.
TICK = 0.1
#: Seconds that a follower has to write the end that the task shows already.
SETTLING = 2.0
#: The time by which a submission must precede the moment at which the service forgets its key, and by which
#: the first one may lie in the future, because the clock of another machine is not quite the same.
KEY_MARGIN = timedelta(minutes=10)
_FORGOTTEN = N_(
    "The task {task} was first submitted at {when}, and the service remembers the key of a "
    "submission for {hours:.0f} hours only: another submission makes a second task, which is charged too. If "
    "the service's dashboard shows the first one, check(its id) follows it at no cost. "
    "submit_again(billed_anew=True) submits it all the same."
)
_IN_FUTURE = N_(
    "The task {task} was first submitted at {when} by the clock of that time, which is in the "
    "future, so the clock was wrong. The service may have forgotten the key of that submission: another one "
    "may make a second task, which is charged too. If the service's dashboard shows the first one, check(its "
    "id) follows it at no cost. submit_again(billed_anew=True) submits it all the same."
)


class Cancellable(Protocol):
    """A follower that can cancel its task."""

    async def cancel(self) -> None:
        """Cancel the task at the service, or before it is sent."""

    def hurry(self) -> None:
        """Make the next request now, if the service could not be reached."""

    def wake(self) -> None:
        """Ask the service at once, instead of at the planned time. Only on the monitor's thread."""


class Owner(Protocol):
    """The part of the manager that a task uses."""

    client: Client
    library: Library
    monitor: TaskMonitor
    sandbox: Sandbox | None
    upload: Callable[[Path], str] | None

    @property
    def service(self) -> str:
        """The service's name in the journal."""

    @property
    def is_closed(self) -> bool:
        """True once ``close`` was called."""

    @property
    def is_sandbox(self) -> bool:
        """True if the client uses the sandbox instead of the service."""

    @property
    def is_local(self) -> bool:
        """True if the server runs on this machine."""

    def configured_contract(self) -> str:
        """Return the contract in the configuration, as ``TaskManager.configured_contract``."""

    def submit(self, request: VideoRequest | None = None, **fields: Unpack[EveryField]) -> Task:
        """Submit another task."""

    def publish(self, picture: Path) -> str:
        """Return a URL at which the service can read a local image."""

    def change_client(self, client: Client) -> None:
        """Use another client from the next request on, as ``TaskManager.change_client``."""

    def adopt(self, key: str) -> Task | None:
        """Return the task with this key; ``None`` if the library has none."""

    def follow(self, task: Task, **options: Any) -> Task:
        """Start following a task, as ``TaskManager.follow``."""

    async def check(self, task: Task, task_id: str) -> None:
        """Find out the state of an unconfirmed submission, as ``reconcile.check``."""


class Task(TaskState):
    """One task, whose state is a set of traits that can be observed or linked.

    Tasks are created by ``generate``, ``TaskManager.submit`` and ``TaskManager.resume``. The traits are
    read-only and set on the background thread, all those of one response together. Observers run on that
    thread and should be quick; long work belongs in ``on_end``.

    At the end of a notebook cell a task shows its live card. Showing it twice does not poll twice.

    Attributes:
        request: the request, ``None`` for a resumed task that this library does not have.
        key: the idempotency key, created locally; it identifies the task before the service assigns an id.
        submitted_at: submission time, UTC.
        contract: the date of the service contract under which it was last submitted.
        first_submitted_at: the time of the first submission, UTC, if it was submitted again before the
            service confirmed it.
        manager: the manager that follows it.
        lifecycle: its followed or done state. This and the next two attributes are for its follower.
        follower: the current or last follower.
        forecast: the predicted progress and end.
    """

    def __init__(
        self,
        manager: Owner,
        request: VideoRequest | None,
        *,
        key: str | None = None,
        submitted_at: datetime | None = None,
        contract: str | None = None,
        first_submitted_at: datetime | None = None,
        **state: Any,
    ) -> None:
        super().__init__()
        self.manager = manager
        self.request = request
        self.key = key or uuid.uuid4().hex
        self.submitted_at = submitted_at or next_moment()
        self.contract = contract or manager.client.contract.name
        self.first_submitted_at = first_submitted_at
        self.lifecycle = Lifecycle(manager.monitor.run_callback)
        self.follower: Cancellable | None = None
        self.forecast: Forecast | None = None
        self._shown = False
        #: The run of a cell in which ``show`` or ``wait`` has shown the task.
        self._shown_in = ""
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
        """Percent to draw now: predicted between two responses, never decreasing, below 100 until the end.

        While the service cannot be reached, it stands still.
        """
        if self.forecast is None or self.is_done or self.status.is_ended:
            return float(self.progress)
        return max(float(self.progress), self.forecast.progress(self._forecast_time))

    @property
    def seconds_left(self) -> float | None:
        """``eta`` counted down to now; ``None`` if there is no honest estimate.

        It stands still together with ``shown_progress``.
        """
        if self.forecast is None or self.eta is None:
            return self.eta
        return self.forecast.left(self._forecast_time)

    @property
    def _forecast_time(self) -> float:
        """The moment whose forecast is shown: now, or the time since which the service cannot be reached."""
        return time.monotonic() if self.next_try is None else self.next_try.since

    @property
    def planned_path(self) -> Path:
        """The path of the saved or future video; ``video_path`` is set once the file exists."""
        title = self.model
        if self.request is not None:
            title = " ".join(self.request.prompts)
        return self.manager.library.video_path(title, self.key)

    @property
    def lacks_videos(self) -> bool:
        """True if its video, or another one of several, is not saved, and another try may save it."""
        return self.video_path is None or self.lacks_others

    @property
    def lacks_others(self) -> bool:
        """True if other videos of a saved task are still at the service, and nothing is saving them."""
        return self.video_path is not None and not self.saves_others and is_noted(self.planned_path)

    # ------------------------------------------------------------------ waiting

    @property
    def is_done(self) -> bool:
        """True if nothing more happens without user action: the video is saved, or ``error`` is set."""
        return self.lifecycle.is_done

    def wait(self, timeout: float | None = None) -> Task:
        """Block until the video is saved.

        A terminal or script shows the progress as a line of text; a notebook shows the task's card, unless it
        is already on screen. An interrupt ends the wait and leaves the task running.

        Args:
            timeout: maximum seconds to wait, ``None`` for no limit.

        Raises:
            TaskFailed, TaskCancelled: the task ended without a video.
            SubmissionUnconfirmed: it is unknown whether the service accepted the task.
            ServiceError, ConnectionFailed: the service refused the task, or was unreachable.
            DownloadFailed: the task is completed, but its video could not be saved.
            WaitTimeout: the timeout expired; the task is still running.
            QingboError: called in a forked process, where nothing follows the task.
            RuntimeError: called in an observer, that is, on the thread that would have to end the wait.
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
            while not self.lifecycle.wait(_next_tick(deadline)):
                if line is not None:
                    line.update()
                if deadline is not None and time.monotonic() >= deadline:
                    message = tr(
                        "The task {task} is not done after {timeout:g} s ({status}, {progress} %). It "
                        "continues; call wait() again at any time."
                    )
                    message = message.format(timeout=timeout, progress=self.progress, **self._labels())
                    raise WaitTimeout(message, task_id=self.task_id)
        finally:
            if line is not None:
                line.end()
        return self._result()

    def __await__(self) -> Generator[Any, None, Task]:
        return self._ended().__await__()

    def on_end(self, callback: Callable[[Task], object]) -> None:
        """Call ``callback(task)`` once when the task is done, or at once if it is already done.

        It runs on a separate thread, where it may block, so it must not assume the main thread.

        Raises:
            QingboError: called in a forked process, where nothing follows the task.
        """
        self.manager.monitor.process.check()
        self.lifecycle.on_end(partial(call_safely, callback, self))

    # ------------------------------------------------------------------ acting

    def cancel(self, *, wait: bool = True) -> None:
        """Cancel the task at the service, which cancels and refunds only queued tasks.

        Concurrent calls from several threads send one request and share its response.

        Args:
            wait: if true, wait for the response and raise its error; otherwise ``message`` shows the error.

        Raises:
            BadRequest: the service no longer cancels it, because it is being rendered or has ended.
            QingboError: the service has not confirmed it, so it cannot be cancelled; ``check`` it first.
            TaskNotFound, ConnectionFailed, ServiceError: the error of the request.
        """
        if self.follower is None:
            message = tr("The task {task} is not being followed; resume({task!r}) first.")
            raise QingboError(message.format(task=self.task_id))
        self._await_or_report(self.manager.monitor.start(self.follower.cancel), wait)

    def check(self, task_id: str = "", *, wait: bool = True) -> None:
        """Find out the state of an unconfirmed submission, at no cost.

        The service cannot find a task by its idempotency key, but its dashboard lists the tasks. With an id
        from there, the task is followed like any other. Without one, only the connection to the service is
        checked, and ``message`` explains what to look for.

        Args:
            task_id: the id that the dashboard shows.
            wait: if true, wait for the response and raise its error; otherwise ``message`` shows the error.

        Raises:
            TaskNotFound: the service does not know this id.
            ConnectionFailed, ServiceError: the service is currently unavailable.
            QingboError: the task is not unconfirmed, or the id belongs to another task.
        """
        self._await_settling()
        if self.status != TaskStatus.unconfirmed or not self.is_done:
            message = tr("The task {task} is {status}: only an unconfirmed submission needs to be checked.")
            raise QingboError(message.format(**self._labels()))
        self._await_or_report(self.manager.monitor.start(self.manager.check, self, task_id.strip()), wait)

    def submit_again(self, *, billed_anew: bool = False) -> None:
        """Submit an unconfirmed or never accepted task again, with the same idempotency key.

        A service that knows the key returns the first task; one that does not bills a second. Contract
        2026-11 promises the former for 24 hours. Of concurrent calls from several threads, one submits and
        the others raise. A refused task is submitted in the contract of the connection, with a warning if
        its request means another video there.

        Args:
            billed_anew: submit even if the service has forgotten the key, which makes a second task that is
                charged too. Another submission after this one needs it again.

        Raises:
            QingboError: the task is neither unconfirmed nor refused, so there is nothing to submit again; or
                as in ``check_resubmission``.
        """
        self.manager.monitor.check_open()
        self._warn_of_other_meaning()
        if self.resubmit(billed_anew=billed_anew):
            return
        message = tr(
            "The task {task} is {status}: only a task that the service has not confirmed can be submitted "
            "again. generate() creates a new one."
        )
        raise QingboError(message.format(**self._labels()))

    def follow_again(self) -> None:
        """Resume following a task that the service accepted, at no cost.

        For a task that is no longer followed because the key was refused, or because the service did not
        find it. Does nothing if the task is being followed.

        Raises:
            QingboError: the task has ended, or the service has not confirmed it.
        """
        self.manager.monitor.check_open()
        if not self.can_be_followed:
            message = tr("The task {task} is {status}: there is nothing to follow.")
            raise QingboError(message.format(**self._labels()))
        with uninterrupted():
            if self.lifecycle.claim(lambda: self.can_be_followed):
                self.manager.follow(self, error=None, message="")

    def try_now(self) -> None:
        """Ask a service that cannot be reached again now, instead of at the time of ``next_try``; at no cost.

        The requests are still at least two seconds apart. Does nothing if the task waits for no next try, or
        if the service itself asks to wait.

        Raises:
            QingboError: the manager is closed.
        """
        self.manager.monitor.check_open()
        if self.follower is not None:
            self.manager.monitor.call_soon(self.follower.hurry)

    def retry_download(self) -> None:
        """Save the video of a completed task again, with a fresh URL, at no cost; or those it still lacks.

        Does nothing if it is already being saved, for example by another thread.

        Raises:
            QingboError: the manager is closed.
        """
        self.manager.monitor.check_open()
        with uninterrupted():
            if self.lifecycle.claim(lambda: self.status == TaskStatus.completed and self.lacks_videos):
                self.manager.follow(self)

    def save(self, path: str | Path) -> Path:
        """Copy the video to another path; wait for the task if necessary.

        Args:
            path: a file, or an existing folder, which then gets a file with the same name.

        Returns:
            The path of the copy.

        Raises:
            OSError: the path cannot be written.
            QingboError: the errors of ``wait``.
        """
        return copy_video(self.wait(), path)

    def frame(self, seconds: float | None = None, *, number: int | None = None) -> Image:
        """Return one frame of the saved video as a PIL image.

        Args:
            seconds: the time, from 0 to the video's length; or
            number: the index of the frame: 0 is the first, -1 the last. Damaged frames are skipped.

        Raises:
            ValueError: the video has no such frame.
            QingboError: the video is not saved, or has no frame that can be decoded.
            ImportError: the extra ``[frames]`` is not installed.
        """
        return frame_of(self, seconds, number)

    def frames(self, count: int = 9, *, columns: int | None = None, width: int = 320) -> Image:
        """Return a contact sheet as a PIL image: frames from the first to the last, each with its time.

        Args:
            count: number of frames.
            columns: number of columns; by default about as many as rows.
            width: width of each frame, in pixels.

        Raises:
            QingboError, ImportError: as in ``frame``.
        """
        return contact_sheet(video_of(self), count, columns=columns, width=width)

    def continue_from_last_frame(self, prompt: str, **fields: Unpack[FieldsAndModel]) -> Task:
        """Submit a video that begins where this one ends, with the same settings except ``fields``.

        The service reads images from public URLs only: ``connect(upload=f)`` sets a function that uploads
        the frame's file and returns its URL. The sandbox needs none.

        Args:
            prompt: a description of the continuation.
            **fields: as in ``VideoRequest``.

        Raises:
            QingboError: the video is not saved, or its last frame cannot be decoded, saved or published.
            InvalidRequest: the service would refuse it; nothing was sent.
            ImportError: the extra ``[frames]`` is not installed.
        """
        picture = self.manager.publish(save_frame(video_of(self), None))
        unknown = VideoRequest(self.model) if self.model else VideoRequest()  # an imported video has no model
        request, spoken = self.request or unknown, self.manager.client.contract.name
        return self.manager.submit(continuation(request, picture, prompt, spoken, self.contract, **fields))

    def export_html(self, path: str | Path) -> Path:
        """Export a page that opens without Jupyter: the video with its request.

        Args:
            path: a path ending in ``.html`` for one file with the video embedded; otherwise a folder.

        Returns:
            The path of the page.

        Raises:
            QingboError: the video is not saved, or is too large for one file.
            OSError: the path cannot be written.
        """
        exported: Path = late.export_task(self, Path(path).expanduser())
        return exported

    # ------------------------------------------------------------------ showing

    def show(self, *, embed: bool = False) -> None:
        """Show the task's live card in the notebook; in a terminal, print its state and its file.

        Args:
            embed: embed the saved video (up to 20 MB) in the notebook, for servers that do not serve it.
        """
        self._shown_in = running_cell()[1]
        self._display(embed)

    def _display(self, embed: bool = False) -> None:
        self._shown = True
        if not in_notebook():
            write_line(late.task_text(self))
            return
        late.show_task(self, embed=embed)

    def _ipython_display_(self) -> None:
        # As the result of wait() it is in the output already, unless the cell has cleared that since.
        is_shown = bool(self._shown_in) and self._shown_in == running_cell()[1]
        if not is_shown or "clear_output" in running_source():
            self._display()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return HTML and plain text, for hosts that call no ``_ipython_display_``, such as marimo."""
        bundle: dict[str, Any] = late.task_mimebundle(self)
        return bundle

    # ------------------------------------------------------------------ for the follower, on its thread

    def resubmit(self, *, billed_anew: bool = False, **options: Any) -> bool:
        """Submit again like ``submit_again``, but return ``False`` if there is nothing to submit again.

        Args:
            billed_anew: as in ``submit_again``.
            **options: for ``TaskManager.follow``.

        Raises:
            QingboError: as in ``check_resubmission``.
        """
        if self.can_be_submitted:
            self.check_resubmission(billed_anew=billed_anew)
        with uninterrupted():
            if not self.lifecycle.claim(lambda: self.can_be_submitted):
                return False
            self.first_submitted_at = self._first_doubt()  # even with consent, until the service accepts it
            previous, self.submitted_at = self.submitted_at, next_moment()
            options |= {"submit": True, "last_submitted_at": previous, "billed_anew": billed_anew}
            self.manager.follow(self, status=TaskStatus.submitting, error=None, **options)
        return True

    def check_resubmission(self, *, billed_anew: bool = False) -> None:
        """Raise an error unless the service treats another submission as a repetition of the first.

        A task that the service has refused does not exist there, so it may be submitted under any contract.

        Args:
            billed_anew: whether the user has agreed to a second task that is charged too.

        Raises:
            QingboError: the submission is unconfirmed, and was made under another contract than that of the
                manager's client, in which its body may have another meaning and its idempotency key none; or
                the service may have forgotten its key.
        """
        if self.status != TaskStatus.unconfirmed:
            return
        if (reason := self.other_contract()) is not None:
            raise QingboError(reason)
        if self.is_key_forgotten and not billed_anew:
            message = tr(_IN_FUTURE if self._is_from_the_future else _FORGOTTEN)
            when = local_time(self.first_submitted_at or self.submitted_at)
            hours = (terms_of(self.contract).remembers_keys or timedelta()).total_seconds() / 3600
            raise QingboError(message.format(when=when, hours=hours, **self._labels()))

    def other_contract(self) -> str | None:
        """Return why an unconfirmed submission cannot be repeated under the contract of the manager's client.

        ``None`` if it was made under the same one.
        """
        spoken = self.manager.client.contract.name
        if self.contract == spoken:
            return None
        message = tr(
            "The task {task} was created under contract {contract:.20} of the service, and this "
            "connection speaks {spoken}: it is not submitted again, because the service might treat it "
            'as a second task and charge for both. Connect with connect(contract="{contract:.20}") and '
            "submit it again there. If the service's dashboard shows it, check(its id) follows it at no "
            "cost."
        )
        return message.format(contract=self.contract, spoken=spoken, **self._labels())

    @property
    def is_key_forgotten(self) -> bool:
        """True if the service no longer knows the key of this unconfirmed submission.

        Another submission would then be a second task. Only if the contract documents the key.
        """
        return self.status == TaskStatus.unconfirmed and self.is_first_key_forgotten

    @property
    def is_first_key_forgotten(self) -> bool:
        """True if the service may no longer know the key of the first submission, whatever became of it."""
        if terms_of(self.contract).remembers_keys is None:
            return False
        end = None if self._is_from_the_future else self.key_remembered_until
        return end is None or datetime.now(UTC) > end

    @property
    def _is_from_the_future(self) -> bool:
        """True if the time of the first submission was read from a clock that was ahead, and says nothing."""
        return (self.first_submitted_at or self.submitted_at) - datetime.now(UTC) > KEY_MARGIN

    @property
    def key_remembered_until(self) -> datetime | None:
        """The time, UTC, until which the service answers another submission with the first task.

        ``None`` if the contract does not document the key.
        """
        remembered = terms_of(self.contract).remembers_keys
        first = self.first_submitted_at or self.submitted_at
        return None if remembered is None else first + remembered - KEY_MARGIN

    def stand_for(self, submitted_at: datetime | None, first_submitted_at: datetime | None) -> None:
        """Set the times of a submission that another kernel has made; keep the earliest first time.

        Args:
            submitted_at: the time of that submission; ``None`` keeps the present one.
            first_submitted_at: the time of the first submission that it repeats, if any.
        """
        self.submitted_at = submitted_at or self.submitted_at
        self.first_submitted_at = earliest(self.first_submitted_at, first_submitted_at)

    def reopen(self, follower: Cancellable | None, **changes: Any) -> None:
        """Set the follower and change some traits."""
        self.follower = follower
        self.set_traits(**changes)

    def _warn_of_other_meaning(self) -> None:
        """Warn if the request of a refused task means another video in the contract of the connection."""
        spoken = self.manager.client.contract.name
        if self.request is None or self.task_id or self.status != TaskStatus.failed:
            return
        if changes := defaults_between(self.request, self.contract, spoken):
            message = tr(
                "The task {task} was created under contract {contract:.20}, and is submitted in {spoken}, in "
                "which what is not set means something else. submit(task.request, {changes}) makes the video "
                "that was meant."
            )
            named = {"contract": self.contract, "spoken": spoken, "changes": assigned(changes)}
            warn(message.format(**named, **self._labels()))

    def _await_or_report(self, future: Future[None], wait: bool) -> None:
        # An observer runs on the monitor's thread, where waiting for the result would block it forever.
        if wait and not self.manager.monitor.is_current_thread:
            try:
                outcome(future)
            except CancelledError:
                self.manager.monitor.check_open()
                raise
        else:
            with uninterrupted():
                future.add_done_callback(self._show_failure)

    def _show_failure(self, future: Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            with suppress(QingboError):  # the manager was closed, which its tasks already show
                self.manager.monitor.call_soon(lambda: self.set_traits(message=str(error)))

    def _await_settling(self) -> None:
        """Wait for a follower that has shown its error and still writes it to the journal.

        The button of ``check`` is there from the error on. Only for ``check``, which costs nothing: another
        submission after such a wait could be the second of two clicks.
        """
        if self.error is not None and not self.is_done and not self.manager.monitor.is_current_thread:
            self.lifecycle.wait(SETTLING)

    def _first_doubt(self) -> datetime | None:
        """Return when the first submission was sent that the next one repeats; ``None`` if there is none."""
        if self.status != TaskStatus.unconfirmed:
            return None
        return self.first_submitted_at or self.submitted_at

    @property
    def can_be_submitted(self) -> bool:
        """True if ``submit_again`` would submit it, once it is done."""
        return self.request is not None and not self.task_id

    @property
    def can_be_followed(self) -> bool:
        """True if the service has the task and its state or video can still change."""
        is_over = self.status in (TaskStatus.failed, TaskStatus.cancelled) or self.video_path is not None
        return bool(self.task_id) and not is_over

    def _labels(self) -> dict[str, str]:
        """Return the task's name and status, for error texts."""
        return {"task": self.task_id or self.key[:8], "status": status_name(self.status)}

    def _result(self) -> Task:
        late.redraw_displays.call_if_imported()  # a run without a page keeps only what this cell sends
        if self.error is not None:
            # A fresh traceback each time, because several waits may raise the same error.
            raise self.error.with_traceback(None)
        return self

    async def _ended(self) -> Task:
        if not self.is_done:
            self.manager.monitor.process.check()
        await self.lifecycle.until_done()
        return self._result()


def _next_tick(deadline: float | None) -> float:
    return TICK if deadline is None else max(0.0, min(TICK, deadline - time.monotonic()))
