"""``TaskManager``: submits and resumes tasks, and owns the resources that their followers use."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from .. import late
from ..exceptions import AuthenticationFailed, InvalidRequest, QingboError
from ..i18n import tr
from ..library.library import Library
from ..library.requests import read_request
from ..service.client import Client
from ..service.contract.frames import IMAGE
from ..service.contract.misspelt import check_names
from ..service.contract.models import dated
from ..service.contract.offered import offers_fields
from ..service.contract.pricing.price import Price
from ..service.contract.problem import Problem
from ..service.contract.request import VideoRequest
from ..service.contract.service_names import normalised
from ..service.contract.snapshot import TaskStatus
from ..service.contract.urls import is_loopback
from ..service.secrets.known_keys import hide
from ..service.task_ids import valid_task_id
from ..system.console import write_line
from ..system.host import in_notebook, warn
from ..system.interrupts import uninterrupted
from ..system.notebook import shown_path
from .background.loop import TaskMonitor
from .background.writer import LATER
from .balances import Balances
from .closing import finish, patience
from .following import reconcile
from .following.backlog import Backlog
from .following.follower import Follower
from .following.lease import ObservedHolds, is_dead, new_holder
from .following.ownership import Ownership
from .following.record import TaskRecord
from .following.renewal import renew
from .inputs.inputs import Inputs
from .prices import Prices
from .recovery import Recovery
from .settings import ManagerSettings
from .task import Task

if TYPE_CHECKING:
    from ..library.ledger import Ledger
    from ..sandbox import Sandbox
    from ..service.contract.fields import EveryField
    from ..service.contract.pricing.answers import Balance
    from .uploading.choice import Upload

__all__ = ["TaskManager"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds for which a price is good that decides about a budget: prices may rise between two submissions.
_FRESH = 5.0


class TaskManager(ManagerSettings):
    """Manager that submits tasks and follows all of them on one background thread.

    Its settings can also be configured the Jupyter way; see ``ManagerSettings``.

    Args:
        client: the client, which this manager owns and closes; by default one with the key from the
            environment.
        library: the library for the journal and the videos; by default in ``qingbo_videos`` beside the
            notebook.
        sandbox: the sandbox that the client connects to, if any.

    Raises:
        MissingApiKey: no client was passed and no key was found.
        InvalidRequest: the contract in the configuration or the environment is unknown, or the client does
            not speak the ``contract`` passed with it.
        TypeError: ``client`` is not a ``Client``, ``library`` not a ``Library``, ``sandbox`` not a
            ``Sandbox``, or a setting does not exist, such as ``api_key``.
    """

    def __init__(
        self,
        client: Client | None = None,
        library: Library | None = None,
        *,
        sandbox: Sandbox | None = None,
        **settings: Any,
    ) -> None:
        if "contract" in settings:
            settings["contract"] = dated(settings["contract"])  # keep it out of tracebacks, too
        if (mistake := _mistake_in(client, library, sandbox, self.lacking({*settings}))) is not None:
            client = library = sandbox = None  # keep them out of tracebacks: one may be a key
            settings.clear()
            raise mistake
        if client is not None and settings.get("contract") not in (None, "", client.contract.name):
            text = tr("contract: this client uses {own}, not {contract}. Choose it with Client(contract=…).")
            text = text.format(own=client.contract.name, contract=settings["contract"])
            raise InvalidRequest((Problem("contract", text),))
        super().__init__(**settings)
        self.client = Client(contract=self.contract) if client is None else client
        self.contract = self.client.contract.name
        self.library = Library() if library is None else library
        self.sandbox = sandbox
        self.inputs = Inputs(self.library, sandbox, is_local=self.is_local)
        self.monitor = TaskMonitor(self.library.journal)
        pace = self.monitor.pace
        pace.limit = self.max_requests_per_second
        self.observe(lambda change: setattr(pace, "limit", change["new"]), "max_requests_per_second")
        self.holder = new_holder()
        self.backlog = Backlog(self.monitor, self.library, self.holder)
        self.observed_holds = ObservedHolds()
        #: Live sweeps by name, for ``sweep`` and ``Sweep``.
        self.sweeps: dict[str, Any] = {}
        self._tasks: dict[str, Task] = {}
        self._recovery = Recovery(self, self._tasks)
        #: Keys of the tasks whose submission has reserved its price, and is going on.
        self._reserved: set[str] = set()
        #: Keys of the tasks of this kernel that the ledger lacks, because they had no known price.
        self._unnoted: set[str] = set()
        self.prices = Prices(self.inputs, self.library, self.service, lambda: self.client, lambda: self.tasks)
        self.balances = Balances(lambda: self.client, lambda: self.is_closed)
        # Also runs at interpreter exit, before the daemon thread would be killed in the middle of a step.
        self._finalizer = weakref.finalize(
            self, finish, self.monitor, self.library, self.holder, self.backlog
        )
        self._renewal: Future[None] | None = None
        self._on_close: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        if not hasattr(self, "_renewal"):  # in the traceback of an error in __init__
            return "<TaskManager, unfinished>"
        where = "the sandbox" if self.is_sandbox else self.client.base_url
        shown = shown_path(self.library.folder)
        contract = self.client.contract.name
        return f"<TaskManager of {where}, contract {contract}, {len(self.tasks)} tasks, videos in {shown!r}>"

    def _ipython_display_(self) -> None:
        """Show where the manager is connected, and the cards of running tasks; change nothing."""
        if in_notebook():
            late.show_manager(self)
        else:
            write_line(repr(self))

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return HTML and plain text, for hosts that call no ``_ipython_display_``, such as marimo."""
        bundle: dict[str, Any] = late.manager_mimebundle(self)
        return bundle

    def __enter__(self) -> TaskManager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def upload(self) -> Upload | None:
        """The way of local pictures and videos to the service, as passed to ``connect(upload=…)``."""
        return self.inputs.upload

    @upload.setter
    def upload(self, upload: Upload | None) -> None:
        self.inputs.upload = upload

    @property
    def is_sandbox(self) -> bool:
        """True if the client uses the sandbox instead of the service: no key, no cost, no AI."""
        return self.sandbox is not None

    @property
    def is_local(self) -> bool:
        """True if the server runs on this machine, and so reaches URLs that the service cannot."""
        return is_loopback(self.client.base_url)

    @property
    def is_closed(self) -> bool:
        """True once ``close`` was called, even if an interrupt cut it short."""
        return self.monitor.is_closing or not self._finalizer.alive

    @property
    def service(self) -> str:
        """The service's name in the journal: its base URL, or "sandbox", whose port changes each time."""
        return "sandbox" if self.is_sandbox else normalised(self.client.base_url)

    @property
    def known_tasks(self) -> tuple[Task, ...]:
        """The tasks of this kernel, unordered; tasks that are still being recovered may be missing."""
        return tuple(self._tasks.values())

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that this manager has submitted or resumed, oldest first."""
        self._recovery.wait()
        return tuple(sorted(self._tasks.values(), key=lambda task: task.submitted_at))

    @offers_fields()
    def submit(self, request: VideoRequest | None = None, **fields: Unpack[EveryField]) -> Task:
        """Submit a task and return at once, before the service responds; the task reports its own state.

        Args:
            request: the request; ``fields`` change it, or define one.
            **fields: as in ``VideoRequest``.

        Raises:
            BudgetExceeded: it would exceed a budget; nothing was sent.
            InvalidRequest: the service would refuse it; nothing was sent.
            TypeError: a field does not exist, or ``request`` is not a ``VideoRequest``.
            QingboError: the manager is closed.
        """
        request = self._request(request, fields, "submit()")
        contract = self.client.contract.name
        checked = self.inputs.checked(request, contract)
        if checked.problems:
            raise InvalidRequest(checked.problems)
        for advice in (*request.warnings(contract, local_service=self.is_local), *checked.notes):
            warn(advice.message)
        self.inputs.tell(checked.request)
        task = Task(self, checked.request)
        self.reserve(task)
        try:
            self.follow(task, known=False, submit=True)
        except BaseException:
            self._release(task.key)
            raise
        late.watch_task.call_if_imported(task)  # a page may notify the user of the end, without a card
        return task

    def price(self, request: VideoRequest | None = None, **fields: Unpack[EveryField]) -> Price:
        """Return the price of a request before it is submitted. Blocks while the service is asked.

        Args:
            request: the request; by default one from the fields.
            **fields: fields of the request, as in ``VideoRequest``.

        Returns:
            The price; if it is not known, ``reason`` says why.

        Raises:
            InvalidRequest: the service would refuse the request.
            QingboError: the manager is closed.
            TypeError: ``request`` is not a ``VideoRequest``, or no model takes one of the fields.
        """
        return self.prices.price(self._request(request, fields, "price()"))

    @property
    def is_bounded(self) -> bool:
        """True if this kernel or the folder has a budget, so that the price is requested before each task."""
        try:
            return self.budget is not None or self.library.has_budget
        except QingboError:  # the journal cannot be read: then no row can be written, and nothing is sent
            return False

    def reserve(self, task: Task, *, charges: int = 1) -> None:
        """Reserve the price of a task in the budgets, right before it is submitted. Blocks.

        Args:
            task: the task.
            charges: how often it may be charged: twice, if the service has forgotten an earlier submission.

        Raises:
            BudgetExceeded: it would exceed the budget of this kernel or of the folder; nothing is sent.
            QingboError: the journal cannot be written; nothing is sent.
        """
        if task.request is None:
            return
        task.observe(self._compare, "frozen")
        if not self.is_bounded:
            task.price = self.prices.latest(task.request)
            return
        ledger = self.ledger
        for key, fields in ledger.unpriced():  # of tasks that were submitted before there was a budget
            request = None if fields is None else read_request(fields)
            if request is not None and not request.problems(self.client.contract.name):
                price = self.prices.price(request)
                ledger.note(key, price, self.holder if key in self._tasks else None)
        for key in tuple(self._unnoted):  # their amounts count as those of this kernel
            ledger.note(key, Price(), self.holder)
            self._unnoted.discard(key)
        task.price = price = self.prices.price(task.request, max_age=_FRESH)
        ledger.reserve(task.key, price.times(charges), self.holder, self.budget)
        self._reserved.add(task.key)

    async def _note_price(self, task: Task, price: Price) -> None:
        """Record the price of a task that was submitted without a budget, after what submissions wait for."""
        try:
            await self.monitor.journal(
                lambda: self.ledger.note(task.key, price, self.holder, is_new=True), due=LATER
            )
        except Exception:  # the amounts of the service are in the task's row all the same
            logger.debug("Task %s: its price was not recorded", task.key, exc_info=True)

    def _compare(self, change: Any) -> None:
        """Compare the amount that the service has reserved with the price before the submission."""
        self.prices.compare(change["owner"].price, change["new"])

    def _release(self, key: str) -> None:
        """Forget the reservation of a task that was not submitted after all."""
        if key in self._reserved:
            self._reserved.discard(key)
            with suppress(Exception):  # it ends with this kernel
                self.ledger.release(key)

    def _close_reservation(self, key: str) -> None:
        """Note that a submission is over."""
        if key in self._reserved:
            self._reserved.discard(key)
            with suppress(QingboError):  # closed: it ends with this kernel
                self.monitor.start(self.monitor.journal, self.ledger.close, key)

    @property
    def ledger(self) -> Ledger:
        """The reservations of the library for this service."""
        from ..library.ledger import Ledger  # imports SQLAlchemy, which takes long

        return Ledger(self.library.journal, self.service, is_dead)

    def balance(self) -> Balance:
        """Return the money of the account; see ``Client.balance``. Views of the balance show it too."""
        self.monitor.check_open()
        return self.balances.balance()

    def resume(self, task_id: str) -> Task:
        """Follow an existing task: of another kernel, of an earlier session, or of another program.

        A task whose video is in the library is loaded without the service. Any other is polled at once; if
        the service does not know it, the task ends with ``TaskNotFound``.

        Raises:
            InvalidRequest: ``task_id`` cannot be the id of a task.
        """
        task_id = valid_task_id(task_id)
        self.monitor.check_open()
        return self._recovery.resume(task_id)

    def recover(self) -> list[Task]:
        """Resume every task of the library that has not ended, or whose video is not saved yet.

        Raises:
            QingboError: the manager is closed.
        """
        self.monitor.check_open()
        return self._recovery.run()

    def recover_soon(self) -> None:
        """Run ``recover`` on the background thread if any task is unfinished; reading ``tasks`` waits for it.

        Raises:
            QingboError: the journal is damaged, or was created by another program.
        """
        self.monitor.check_open()
        self.library.journal.recheck_writable()
        is_unfinished = self.library.has_unfinished(service=self.service)
        if (reason := self.library.read_only) is not None:
            warn(reason)
        if is_unfinished:
            self._recovery.start()

    def change_client(self, client: Client) -> None:
        """Use another client from the next request on, such as one with another key.

        Tasks that are no longer followed because the key was refused are followed again; those that wait for
        another try are asked about at once. Nothing is submitted.

        Raises:
            QingboError: the manager is closed.
        """
        self.monitor.check_open()
        former, self.client = self.client, client
        self.balances.reset()
        for task in self.known_tasks:
            if isinstance(task.error, AuthenticationFailed) and task.can_be_followed:
                task.follow_again()
            elif former.key_refusal and task.follower is not None and not task.is_done:
                self.monitor.call_soon(task.follower.wake)

    def adopt(self, key: str) -> Task | None:
        """Return the task with this key, and follow it if it is running; ``None`` if the library has none."""
        self.monitor.process.check()
        self._recovery.wait()
        if key in self._tasks:
            return self._tasks[key]
        entry = self.library.get(key)
        return None if entry is None else self._recovery.adopt(entry)

    def load_prices(self, keys: Sequence[str]) -> None:
        """Read the prices of tasks that are about to be adopted, all in one query."""
        self._recovery.load_prices(keys)

    def register(self, task: Task) -> None:
        """Add a task whose row is about to be written, so that a reader of the row creates no second task."""
        self._tasks[task.key] = task

    def unregister(self, task: Task) -> None:
        """Remove a task whose row was not written."""
        self._tasks.pop(task.key, None)

    async def check(self, task: Task, task_id: str) -> None:
        """Find out the state of an unconfirmed submission; users call ``Task.check``."""
        await reconcile.check(task, self, task_id)

    def publish(self, picture: object, *, use: str = "image") -> str:
        """Return a URL at which the service can read a picture or video. Blocks until it is uploaded.

        ``submit`` does this by itself. With the sandbox, nothing leaves the machine; otherwise it is uploaded
        as ``connect(upload=…)`` says.

        Args:
            picture: a path, or any picture that a field of a request takes.
            use: what it is for: ``image``, ``mask`` or ``video``.

        Raises:
            InvalidRequest: it is no such picture or video, or there is nothing that uploads it.
            UploadFailed: it could not be uploaded.
            QingboError: the manager is closed.
            ImportError: it must be converted, and the extra ``[upload]`` is not installed.
        """
        self.monitor.check_open()
        return self.inputs.publish(picture, use)

    def _request(self, request: VideoRequest | None, fields: EveryField, caller: str) -> VideoRequest:
        """Return the request of a call: the given one with these fields, or one from the fields.

        Raises:
            TypeError: ``request`` is not a ``VideoRequest``, or no model takes one of the fields.
            QingboError: the manager is closed.
        """
        if request is not None and not isinstance(request, VideoRequest):
            kind, request = type(request).__name__, None  # keep the text out of tracebacks: it may be a key
            message = tr(
                'request must be a VideoRequest, not {kind}; pass a prompt by name: submit(prompt="…")'
            )
            raise TypeError(message.format(kind=kind))
        self.monitor.check_open()
        check_names(caller, fields, lambda: self.client.contract.models, (IMAGE,))
        return VideoRequest(**fields) if request is None else request.replace(**fields)

    def follow(
        self,
        task: Task,
        *,
        known: bool = True,
        submit: bool = False,
        claimed: bool = False,
        waits: bool = True,
        may_send: Callable[[], bool] = lambda: True,
        last_submitted_at: datetime | None = None,
        may_charge_again: bool = False,
        **changes: Any,
    ) -> Task:
        """Start following a task; users call ``resume`` and ``submit``.

        Args:
            task: a task of this manager that is not followed: a new one, or one from ``Lifecycle.claim``.
            known: true if the journal has a row of it.
            submit: true if the user has requested its submission.
            claimed: true if its row was just written for this purpose, and this kernel holds it.
            waits: true if a submission that the service answers with 429 is repeated here for some minutes.
            may_send: called right before the request is sent; ``False`` holds it back.
            last_submitted_at: the time of its last submission that this kernel knows of.
            may_charge_again: true if the user has agreed to a second task that is charged too.
            **changes: traits to set first.

        Raises:
            QingboError: the manager is closed or closing. Nothing was sent, and the task is unchanged.
        """
        with uninterrupted():
            if self._renewal is None:
                self._renewal = self.monitor.start(
                    renew, self.monitor, self.library, self.holder, self.hold_seconds
                )
            is_new, before = task.key not in self._tasks, {name: getattr(task, name) for name in changes}
            is_reserved = task.key in self._reserved
            in_doubt, submitted = task.status == TaskStatus.unconfirmed and not task.task_id, None
            try:
                submitted = self.monitor.add_pending() if submit else Future()
                submitted.add_done_callback(lambda _: self._close_reservation(task.key))
                record = TaskRecord(
                    task, self, is_written=known, in_doubt=in_doubt, may_charge_again=may_charge_again
                )
                follower = Follower(
                    record,
                    Ownership(record, last_submitted_at=last_submitted_at),
                    submitted,
                    may_submit=submit,
                    is_claimed=claimed,
                    waits=waits,
                    may_send=may_send,
                )
                self._tasks[task.key] = task
                self.balances.follow(task)
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
            if submit and not is_reserved and (price := task.price) is not None and price.usd is not None:
                with suppress(QingboError):  # closed meanwhile
                    self.monitor.start(self._note_price, task, price)
            elif submit and not is_reserved:
                self._unnoted.add(task.key)
        return task

    def close(self) -> None:
        """Stop following. Tasks continue at the service, and the next ``connect`` resumes them.

        Recent submissions get time to reach the service; new ones are refused. In a forked process this does
        nothing, because the manager belongs to the parent.
        """
        if not self.monitor.process.is_this:
            return
        seconds = patience()
        self.monitor.drain(seconds)
        self.monitor.close(seconds)
        self.client.close()  # closes the connections that the threads wait for
        self.prices.close()
        self.monitor.join()
        self._finalizer()
        self.library.close()
        if self.sandbox is not None:
            self.sandbox.stop()
        while self._on_close:
            self._on_close.pop()()

    def on_close(self, call: Callable[[], object]) -> None:
        """Call a function once, after ``close``. It must not raise."""
        self._on_close.append(call)


def _mistake_in(client: object, library: object, sandbox: object, unknown: Sequence[str]) -> TypeError | None:
    """Return the error of wrong arguments of a manager, without their values; ``None`` if they are right.

    Args:
        client: the client.
        library: the library.
        sandbox: the sandbox.
        unknown: the names that are no setting.
    """
    if client is not None and not isinstance(client, Client):
        return _wrong(
            tr("client must be a Client, not {kind}; connect(api_key) makes one from a key"), client
        )
    if library is not None and not isinstance(library, Library):
        return _wrong(tr("library must be a Library, not {kind}: Library(folder)"), library)
    if sandbox is not None and not hasattr(sandbox, "publish"):
        return _wrong(tr("sandbox must be a Sandbox, not {kind}; connect(sandbox=True) makes one"), sandbox)
    if unknown:
        message = tr(
            "TaskManager has no setting {names}. The key and the address belong to its client: "
            "connect(api_key=…) or TaskManager(Client(api_key=…))"
        )
        return TypeError(message.format(names=hide(", ".join(unknown))))
    return None


def _wrong(message: str, value: object) -> TypeError:
    return TypeError(message.format(kind=type(value).__name__))
