"""``TaskManager`` submits tasks, resumes them, and gives everything that follows them what it needs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from traitlets import Float, Int
from traitlets.config import Configurable

from ..exceptions import InvalidRequest, QingboError
from ..i18n import tr
from ..library.library import Library
from ..service.client import Client
from ..service.contract.problem import Problem
from ..service.contract.request import VideoRequest
from ..service.contract.service_names import normalised
from ..service.contract.snapshot import TaskStatus
from ..service.contract.urls import is_loopback, why_not_public
from ..service.secrets.known_keys import hide_in, holds_key
from ..system.host import shell, warn
from ..system.interrupts import uninterrupted
from .background.loop import TaskMonitor
from .closing import finish, patience
from .following import reconcile
from .following.backlog import Backlog
from .following.follower import Follower
from .following.lease import Sightings, new_holder
from .following.ownership import Ownership
from .following.record import TaskRecord
from .following.renewal import renew
from .recovery import Recovery
from .task import Task

if TYPE_CHECKING:
    from ..sandbox import Sandbox

__all__ = ["TaskManager"]


class TaskManager(Configurable):
    """Submits tasks and follows them, all on one background thread.

    Its settings can be given the Jupyter way, ``c.TaskManager.poll_interval = 5`` in ``ipython_config.py``.

    Args:
        client: speaks to the service, for this manager alone, which closes it; by default with the key from
            the environment.
        library: keeps the journal and the videos; by default in ``qingbo_videos`` beside the notebook.
        sandbox: the sandbox that the client speaks to, where it is one of ours.

    Raises:
        MissingApiKey: no client was given and no key was found.
        TypeError: something else was given than a client and a library.
    """

    poll_interval = Float(
        2.0, min=0.05, help="Seconds between two questions about one task at least; the service asks for 2."
    ).tag(config=True)
    max_requests_per_second = Float(
        None,
        allow_none=True,
        min=0.01,
        help="Requests a second at most, for all tasks together; None for as many as get answered.",
    ).tag(config=True)
    submit_patience = Float(
        15.0, min=0.0, help="Seconds for which a submission is tried again while the service is not reached."
    ).tag(config=True)
    max_video_bytes = Int(2 * 1024**3, min=1, help="The largest video that is saved, in bytes.").tag(
        config=True
    )

    hold_seconds = Float(
        30.0, min=0.5, help="Seconds without a sign of life after which other kernels take over our tasks."
    ).tag(config=True)

    ask_above = Int(
        12, min=0, help="A sweep of more tasks than this is not submitted before you say so."
    ).tag(config=True)

    def __init__(
        self,
        client: Client | None = None,
        library: Library | None = None,
        *,
        sandbox: Sandbox | None = None,
        **settings: Any,
    ) -> None:
        if client is not None and not isinstance(client, Client):
            kind, client = type(client).__name__, None  # no traceback shows it: it may be a key
            raise TypeError(f"client must be a Client, not {kind}; connect(api_key) makes one of a key")
        if library is not None and not isinstance(library, Library):
            raise TypeError(f"library must be a Library, not {type(library).__name__}: Library(folder)")
        super().__init__(**{"parent": shell(), **settings})
        self.client = Client() if client is None else client
        self.library = Library() if library is None else library
        self.sandbox = sandbox
        self.monitor = TaskMonitor(self.library.journal)
        pace = self.monitor.pace
        pace.limit = self.max_requests_per_second
        self.observe(lambda change: setattr(pace, "limit", change["new"]), "max_requests_per_second")
        self.holder = new_holder()
        self.backlog = Backlog(self.monitor, self.library, self.holder)
        self.sightings = Sightings()
        self.upload: Callable[[Path], str] | None = None
        #: The sweeps that are live, by name: kept here and used by ``sweep``.
        self.sweeps: dict[str, Any] = {}
        self._tasks: dict[str, Task] = {}
        self._recovery = Recovery(self, self._tasks)
        # Also runs at the interpreter's exit, before the daemon thread would be cut off in mid-step.
        self._finalizer = weakref.finalize(
            self, finish, self.monitor, self.library, self.holder, self.backlog
        )
        self._renewal: Future[None] | None = None

    def __repr__(self) -> str:
        where = "the sandbox" if self.is_sandbox else self.client.base_url
        return f"<TaskManager of {where}, {len(self.tasks)} tasks, videos in {str(self.library.folder)!r}>"

    def __enter__(self) -> TaskManager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_sandbox(self) -> bool:
        """Whether the sandbox answers in place of the service: no key, no cost, not the AI."""
        return self.sandbox is not None

    @property
    def is_local(self) -> bool:
        """Whether what answers runs on this machine, and so reaches addresses that the service cannot."""
        return is_loopback(self.client.base_url)

    @property
    def is_closed(self) -> bool:
        """Tell whether ``close`` was called, even if an interrupt has cut it short."""
        return self.monitor.is_closing or not self._finalizer.alive

    @property
    def service(self) -> str:
        """What the journal calls the service: its base URL; a sandbox has another port each time."""
        return "sandbox" if self.is_sandbox else normalised(self.client.base_url)

    @property
    def known(self) -> tuple[Task, ...]:
        """Every task that this kernel has, in no order; what is being recovered may be missing."""
        return tuple(self._tasks.values())

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every task that this manager has submitted or resumed, oldest first."""
        self._recovery.wait()
        return tuple(sorted(self._tasks.values(), key=lambda task: task.submitted_at))

    def submit(self, request: VideoRequest | None = None, **fields: Any) -> Task:
        """Submit a task. Returns at once, before the service has answered; the task tells how it goes.

        Args:
            request: the request; ``fields`` change or make up one.
            **fields: as in ``VideoRequest``.

        Raises:
            InvalidRequest: the service would refuse it; nothing was sent.
            TypeError: a field that does not exist, or something else than a request.
            QingboError: the manager is closed.
        """
        if request is not None and not isinstance(request, VideoRequest):
            raise TypeError(
                f"request must be a VideoRequest, not {type(request).__name__}; a prompt goes by its name: "
                'submit(prompt="…")'
            )
        request = VideoRequest(**fields) if request is None else request.replace(**fields)
        contract = self.client.contract.name
        if problems := request.problems(contract):
            raise InvalidRequest(problems)
        for advice in request.warnings(contract, local_service=self.is_local):
            warn(advice.message)
        return self.follow(Task(self, request), known=False, submit=True)

    def resume(self, task_id: str) -> Task:
        """Follow a task again: one of another kernel, of yesterday, or of another program.

        A task whose video is in the library needs no service. Any other is asked for at once; if the service
        does not know it, the task ends with ``TaskNotFound``.

        Raises:
            InvalidRequest: this can be no task's id.
        """
        if not isinstance(task_id, str) or not task_id.strip() or holds_key(task_id):
            told = tr("task_id: {value!r:.80} is not the id of a task.")
            raise InvalidRequest((Problem("task_id", told.format(value=hide_in(task_id))),))
        task_id = task_id.strip()
        self.monitor.check_open()
        return self._recovery.resume(task_id)

    def recover(self) -> list[Task]:
        """Go on with every task of the library that has not ended, or whose video is not saved yet.

        Raises:
            QingboError: the manager is closed.
        """
        self.monitor.check_open()
        return self._recovery.run()

    def recover_soon(self) -> None:
        """The same on the background thread, if there are any; whoever asks for tasks waits until it is done.

        Raises:
            QingboError: the journal is damaged, or somebody else's.
        """
        self.monitor.check_open()
        self.library.journal.look_again()
        is_unfinished = self.library.has_unfinished(service=self.service)
        if (told := self.library.journal.read_only) is not None:
            warn(told)
        if is_unfinished:
            self._recovery.start()

    def take_up(self, key: str) -> Task | None:
        """The task of this key, followed if it is under way; ``None`` where the library has none."""
        self.monitor.process.check()
        self._recovery.wait()
        if key in self._tasks:
            return self._tasks[key]
        entry = self.library.get(key)
        return None if entry is None else self._recovery.take_up(entry)

    def expect(self, task: Task) -> None:
        """Have a task whose row is about to be written: a reader of the row makes no second task of it."""
        self._tasks[task.key] = task

    def forget(self, task: Task) -> None:
        """Have a task no more: its row was not written."""
        self._tasks.pop(task.key, None)

    async def check(self, task: Task, task_id: str) -> None:
        """Find out what became of an unconfirmed submission; ``Task.check`` is the way in from outside."""
        await reconcile.check(task, self, task_id)

    def publish(self, picture: Path) -> str:
        """Give a picture of this machine a URL that the service can read.

        With the sandbox nothing leaves the machine; else ``upload`` is called with the path.

        Raises:
            QingboError: there is no ``upload``, or what it returned is no public URL.
        """
        if self.upload is None and self.sandbox is not None:
            return self.sandbox.publish(picture)
        if self.upload is None:
            told = tr(
                "The service reads pictures from public URLs only, and {file} is on this machine. "
                "Upload it and pass its URL as image_urls; or connect(upload=f) with a function f(path) that "
                "uploads a file and returns its URL."
            )
            raise QingboError(told.format(file=picture.name))
        url = self.upload(picture)
        if (reason := why_not_public(url)) is not None:
            raise QingboError(tr("upload returned {url!r}, which {reason}.").format(url=url, reason=reason))
        return url

    def follow(
        self,
        task: Task,
        *,
        known: bool = True,
        submit: bool = False,
        claimed: bool = False,
        may_leave: Callable[[], bool] = lambda: True,
        known_at: datetime | None = None,
        **changes: Any,
    ) -> Task:
        """Start following a task; ``resume`` and ``submit`` are the ways in from outside.

        Args:
            task: a task of this manager that is not followed: a new one, or one from ``Lifecycle.claim``.
            known: whether the journal has a row of it.
            submit: whether a person has asked to submit it.
            claimed: whether its row was written a moment ago for this, held by this kernel.
            may_leave: asked right before the request leaves; ``False`` holds it back.
            known_at: when it was submitted last, as far as this kernel knows.
            **changes: traits to set before.

        Raises:
            QingboError: the manager is closed or about to be. Nothing was sent, and the task is as before.
        """
        with uninterrupted():
            if self._renewal is None:
                self._renewal = self.monitor.start(
                    renew, self.monitor, self.library, self.holder, self.hold_seconds
                )
            is_new, before = task.key not in self._tasks, {name: getattr(task, name) for name in changes}
            in_doubt, submitted = task.status == TaskStatus.unconfirmed and not task.task_id, None
            try:
                submitted = self.monitor.promise() if submit else Future()
                record = TaskRecord(task, self, is_written=known, in_doubt=in_doubt)
                follower = Follower(
                    record,
                    Ownership(record, known_at=known_at),
                    submitted,
                    may_submit=submit,
                    is_claimed=claimed,
                    may_leave=may_leave,
                )
                self._tasks[task.key] = task
                task.reopen(follower, **changes)
                self.monitor.start(follower.run)
            except BaseException:
                if submitted is not None:
                    submitted.set_result(None)
                if is_new:
                    self._tasks.pop(task.key, None)
                task.reopen(None, **before)
                task.lifecycle.settle()
                raise
        return task

    def close(self) -> None:
        """Stop following. Tasks go on at the service, and the next ``connect`` picks them up.

        What has been submitted a moment ago gets the time to reach the service; what would be submitted from
        now on is refused. In a forked process it does nothing: the manager is the parent's.
        """
        if not self.monitor.process.is_this:
            return
        seconds = patience()
        self.monitor.keep_promises(seconds)
        self.monitor.close(seconds)
        self.client.close()  # cuts what the threads wait for
        self.monitor.join()
        self._finalizer()
        self.library.close()
        if self.sandbox is not None:
            self.sandbox.stop()
