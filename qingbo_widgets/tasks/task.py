"""``Task``: one video task, with traits that users and widgets observe."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Coroutine, Generator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from .. import late
from ..exceptions import QingboError, WaitTimeout
from ..i18n import tr
from ..library.merging import earliest
from ..library.other_videos import is_noted
from ..media.frames import contact_sheet, continuation, save_frame
from ..media.sound import make_sound_copy
from ..service.contract.request import VideoRequest
from ..service.contract.snapshot import TaskStatus
from ..system.console import write_line
from ..system.host import in_console, in_notebook, running_cell, running_source, warn
from ..system.interrupts import uninterrupted
from . import resubmission
from .clocks import next_moment
from .labels import labels_of
from .lifecycle import Lifecycle
from .observers import call_safely
from .price_note import price_note
from .saved_video import copy_video, frame_of, video_of
from .state import TaskState
from .terminal import ProgressLine
from .waiting import await_or_report, until_done, update_displays, wait_until_done

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..library.library import Library
    from ..sandbox import Sandbox
    from ..service.client import Client
    from ..service.contract.fields import EveryField, FieldsAndModel
    from ..service.contract.pricing.price import Price
    from .background.loop import TaskMonitor
    from .balances import Balances
    from .inputs.inputs import Inputs
    from .prices import Prices
    from .schedule import Forecast

__all__ = ["Cancellable", "Owner", "Task"]

#: Seconds that a follower has to write the end that the task shows already.
SETTLING = 2.0


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
    inputs: Inputs
    prices: Prices
    balances: Balances
    embed: bool | None
    budget: Any

    @property
    def service(self) -> str:
        """The service's name in the journal."""

    @property
    def is_closed(self) -> bool:
        """True once ``close`` was called."""

    def on_close(self, call: Callable[[], object]) -> None:
        """Call a function once, after ``close``."""

    @property
    def is_sandbox(self) -> bool:
        """True if the client uses the sandbox instead of the service."""

    @property
    def is_local(self) -> bool:
        """True if the server runs on this machine."""

    def configured_contract(self) -> str:
        """Return the contract in the configuration, as ``TaskManager.configured_contract``."""

    def configured_embed(self) -> bool | None:
        """Return whether videos are embedded in the configuration, as ``TaskManager.configured_embed``."""

    def submit(self, request: VideoRequest | None = None, **fields: Unpack[EveryField]) -> Task:
        """Submit another task."""

    def reserve(self, task: Task, *, charges: int = 1) -> None:
        """Reserve the price of a task in the budgets; raise ``BudgetExceeded`` if it exceeds one."""

    def publish(self, picture: object) -> str:
        """Return a URL at which the service can read a local picture or video."""

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
        price: the price that was known right before its submission, ``None`` if none was. The library keeps
            it, with its source and date, so a task of an earlier kernel has it too.
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
        self.price: Price | None = None
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
        message = tr("a task cannot be pickled; keep its id and call resume({id!r})")
        raise TypeError(message.format(id=self.task_id))

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

    @property
    def can_be_submitted(self) -> bool:
        """True if ``submit_again`` would submit it, once it is done."""
        return self.request is not None and not self.task_id

    @property
    def can_be_followed(self) -> bool:
        """True if the service has the task and its state or video can still change."""
        is_over = self.status in (TaskStatus.failed, TaskStatus.cancelled) or self.video_path is not None
        return bool(self.task_id) and not is_over

    @property
    def is_key_forgotten(self) -> bool:
        """True if the service may no longer know the key of this unconfirmed submission.

        Another submission would then be a second task. Only if the contract documents the key.
        """
        return self.status == TaskStatus.unconfirmed and resubmission.is_key_forgotten(self)

    @property
    def key_remembered_until(self) -> datetime | None:
        """The time, UTC, until which the service answers another submission with the first task.

        ``None`` if the contract does not document the key.
        """
        return resubmission.key_remembered_until(self)

    # ------------------------------------------------------------------ waiting

    @property
    def is_done(self) -> bool:
        """True if nothing more happens without user action: the video is saved, or ``error`` is set."""
        return self.lifecycle.is_done

    def wait(self, timeout: float | None = None) -> Task:
        """Block until the video is saved.

        A console or script shows the progress as a line of text; a notebook shows the task's card, unless it
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
            if self.manager.monitor.is_current_thread:
                raise RuntimeError(
                    tr("wait() in an observer would wait for itself; use on_end(), or await the task")
                )
            line = self._progress_line() if in_console() or not in_notebook() else None
            if line is None and not self._shown:
                self.show()
            if not wait_until_done(self.lifecycle, timeout, line):
                update_displays(is_over=True)
                message = tr(
                    "The task {task} is not done after {timeout:g} s ({status}, {progress} %). It continues; "
                    "call wait() again at any time."
                )
                message = message.format(timeout=timeout, progress=self.progress, **labels_of(self))
                raise WaitTimeout(message, task_id=self.task_id)
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
        """Cancel the task at the service, which cancels only queued tasks.

        Its documentation promises to refund them; the error says what the response says.

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
        self._run(self.follower.cancel, wait=wait)

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
            message = tr("The task {task} is {status}; check() is for unconfirmed tasks only.")
            raise QingboError(message.format(**labels_of(self)))
        self._run(self.manager.check, self, task_id.strip(), wait=wait)

    def submit_again(self, *, may_charge_again: bool = False) -> None:
        """Submit an unconfirmed or never accepted task again, with the same idempotency key.

        A service that knows the key returns the first task; one that does not bills a second. Contract
        2026-11 promises the former for 24 hours. Of concurrent calls from several threads, one submits and
        the others raise. A refused task is submitted in the contract of the connection, with a warning if
        its request means another video there.

        Args:
            may_charge_again: submit even if the service has forgotten the key, which makes a second task that
                is charged too. Another submission after this one needs it again.

        Raises:
            QingboError: the task is neither unconfirmed nor refused, so there is nothing to submit again; or
                it is unconfirmed, and was submitted under another contract, or so long ago that the service
                may have forgotten its key.
        """
        self.manager.monitor.check_open()
        if text := resubmission.defaults_warning(self, self.manager.client.contract.name):
            warn(text)
        if self.request is not None:
            self.manager.inputs.tell(self.request)
        if self.can_be_submitted and self.is_done:
            is_second = may_charge_again and self.status == TaskStatus.unconfirmed
            self.manager.reserve(self, charges=2 if is_second else 1)
        if self.resubmit(may_charge_again=may_charge_again):
            return
        message = tr(
            "The task {task} is {status}; only an unconfirmed or refused task can be submitted again. "
            "generate() creates a new one."
        )
        raise QingboError(message.format(**labels_of(self)))

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
            raise QingboError(message.format(**labels_of(self)))
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

    def copy_with_sound(self) -> Path:
        """Make a copy of the saved video with MP3 sound, for players without AAC, such as those in VS Code.

        The copy is beside the video, has the same pictures, and is deleted with the task. VS Code plays it in
        place of the video.

        Returns:
            The path of the copy. If there is one, none is made.

        Raises:
            QingboError: the video is not saved, has no AAC sound, or its sound cannot be decoded.
            OSError: the copy cannot be written.
            ImportError: the extra ``[frames]`` is not installed.
        """
        return make_sound_copy(video_of(self))

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

        The frame is uploaded as ``connect(upload=…)`` says. The sandbox needs no upload.

        Args:
            prompt: a description of the continuation.
            **fields: as in ``VideoRequest``.

        Raises:
            QingboError: the video is not saved, or its last frame cannot be decoded or saved.
            InvalidRequest: the service would refuse it; nothing was sent.
            ImportError: the extra ``[frames]`` is not installed.
        """
        picture = str(save_frame(video_of(self), None))
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
                By default as the manager does; see ``connect``.
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

    def resubmit(self, *, may_charge_again: bool = False, **options: Any) -> bool:
        """Submit again like ``submit_again``, but return ``False`` if there is nothing to submit again.

        Args:
            may_charge_again: as in ``submit_again``.
            **options: for ``TaskManager.follow``.

        Raises:
            QingboError: as in ``resubmission.check``.
        """
        if self.can_be_submitted:
            resubmission.check(self, self.manager.client.contract.name, may_charge_again=may_charge_again)
        with uninterrupted():
            if not self.lifecycle.claim(lambda: self.can_be_submitted):
                return False
            # Even with consent, until the service accepts it.
            self.first_submitted_at = resubmission.first_unconfirmed(self)
            previous, self.submitted_at = self.submitted_at, next_moment()
            options |= {"submit": True, "last_submitted_at": previous, "may_charge_again": may_charge_again}
            self.manager.follow(self, status=TaskStatus.submitting, error=None, **options)
        return True

    def set_submission_times(
        self, submitted_at: datetime | None, first_submitted_at: datetime | None
    ) -> None:
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

    def _run(self, step: Callable[..., Coroutine[Any, Any, None]], *args: Any, wait: bool) -> None:
        """Run a step on the monitor's thread, and raise or show its error."""
        monitor = self.manager.monitor
        future = monitor.start(step, *args)
        await_or_report(future, monitor, lambda error: self.set_traits(message=str(error)), wait=wait)

    def _await_settling(self) -> None:
        """Wait for a follower that has shown its error and still writes it to the journal.

        The button of ``check`` is there from the error on. Only for ``check``, which costs nothing: another
        submission after such a wait could be the second of two clicks.
        """
        if self.error is not None and not self.is_done and not self.manager.monitor.is_current_thread:
            self.lifecycle.wait(SETTLING)

    def _result(self) -> Task:
        update_displays(is_over=True)
        if self.error is not None:
            # A fresh traceback each time, because several waits may raise the same error.
            raise self.error.with_traceback(None)
        return self

    def _progress_line(self) -> ProgressLine:
        def remark() -> str:
            note = price_note(self)
            return "" if note is None else note.text

        return ProgressLine(self, remark=remark)

    async def _ended(self) -> Task:
        line = None
        if not self.is_done:
            self.manager.monitor.process.check()
            line = self._progress_line() if in_console() else None
        await until_done(self.lifecycle, line)
        return self._result()
