"""``ContractSwitch``: the way on for a task that a server refused because it speaks another contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ServiceError
from ...i18n import N_, tr
from ...tasks.connection import default, reconnect

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["ContractSwitch"]

_LABEL = N_("Continue with contract {contract}")
_HELP = N_(
    "The server at {service} uses contract {contract}. Reconnects with it; key, address and library "
    "stay the same. Nothing is submitted."
)
_DONE = N_(
    "Connected to {service} in contract {contract}, which generate() and new widgets now use. Nothing was "
    "submitted: run the cell again for this video."
)
_LEAVES_SANDBOX = N_(
    "At present, generate() and new widgets use the sandbox, which charges nothing. To use {service} "
    "instead, click once more."
)
_LEAVES = N_(
    "At present, generate() and new widgets use {current}. To use {service} instead, click once more."
)


class ContractSwitch:
    """A connection in the contract that the server of a refused task speaks. It submits nothing.

    Args:
        task: the task.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        #: Whether the user knows that the kernel would leave the service that it uses now.
        self._is_warned = False

    @property
    def contract(self) -> str | None:
        """The contract of the server that refused the task for being in another one; ``None`` otherwise."""
        error = self._task.error
        return error.contract if isinstance(error, ServiceError) and not self._task.task_id else None

    @property
    def is_done(self) -> bool:
        """True if the default manager speaks this contract with the server of the task."""
        manager = default()
        if manager is None or manager.is_closed:
            return False
        return (manager.contract, manager.service) == (self.contract, self._task.manager.service)

    @property
    def label(self) -> str:
        """The description of its button."""
        return tr(_LABEL).format(contract=self.contract)

    @property
    def tooltip(self) -> str:
        """The tooltip of its button."""
        return tr(_HELP).format(contract=self.contract, service=self._task.manager.service)

    def warning(self) -> str:
        """Return what to tell the user before the first switch away from another service, else nothing.

        The kernel may use the sandbox by now, and the next ``generate()`` would cost money.
        """
        current, service = default(), self._task.manager.service
        if self._is_warned or current is None or current.is_closed or current.service == service:
            return ""
        self._is_warned = True
        text = tr(_LEAVES_SANDBOX if current.is_sandbox else _LEAVES)
        return text.format(service=service, current=current.service)

    def switch(self) -> str:
        """Make a manager in the contract the default one, and return what has changed.

        Raises:
            InvalidRequest: this version does not know the contract.
        """
        self._is_warned = False
        contract, service = str(self.contract), self._task.manager.service
        reconnect(self._task.manager, contract)
        return tr(_DONE).format(contract=contract, service=service)
