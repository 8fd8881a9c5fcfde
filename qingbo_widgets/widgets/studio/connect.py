"""``ConnectPanel``: the panel that requests an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ipywidgets

from ...exceptions import InvalidRequest, MissingApiKey
from ...i18n import N_, sentences, tr
from ...library.library import Library
from ...service.client import Client
from ...service.contract.contracts import CONTRACTS
from ...service.credentials import (
    API_KEY_VARIABLES,
    BASE_URL_VARIABLE,
    find_api_key,
    find_base_url,
    find_contract,
)
from ...service.secrets.key_ring import is_silent
from ..base import html as markup
from ..base.build import button, create_widget
from ..base.clicks import message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.key_field import KeyEntry, keys_page
from ..base.sync import weakly
from ..form.fields import LABEL_WIDTH

if TYPE_CHECKING:
    from ...service.secrets.secret import Secret
    from ...tasks.manager import TaskManager
    from ...tasks.task import Owner

__all__ = ["ConnectPanel", "usual_contract"]

_CONNECT_HELP = N_("Checks the key with the service, free of charge, and connects.")
_SANDBOX_HELP = N_("A stand-in for the service on this machine. Free, no key, placeholder videos, not AI.")
_CONTRACT_HELP = N_(
    "A contract is a version of the service's interface. The key is sent only to the host in parentheses."
)
#: The service's contracts, the current one first. It is preselected if the chosen one does not exist.
_CONTRACTS = {
    "2026-11": N_("Current, contract {contract} ({host})"),
    "2026-04": N_("Earlier, contract {contract} ({host})"),
}
_NO_KEY = N_("No API key was found.")
_KEYRING_WAITS = N_(
    "The keyring does not answer; it may be locked. If it has the key, unlock it and press Connect."
)
_WHICH_SERVICE = N_("A key was found. Choose its service and press Connect, or use the sandbox.")
_CLOSED = N_("The connection is closed, so nothing can be submitted and tasks are no longer followed.")
_CONNECT_AGAIN = N_("Connect again here; the form stays as it is, and videos go to the same folder.")
_CORRECT_IT = N_(
    "Choose the service below. To make it permanent, correct that setting and restart the kernel."
)
_WAYS = (
    N_(
        "Permanently: set the environment variable {variable}, then restart Jupyter. Restarting only the "
        "kernel is not enough: it inherits Jupyter's environment."
    ),
    N_("Or store it in the system's keyring: {command}"),
    N_("For this kernel only: enter the key below."),
    N_("Free, without a key: the sandbox draws placeholder videos on this machine, not AI."),
)
#: What installs the keyring and puts the key into it.
_KEYRING_COMMAND = 'pip install "qingbo_widgets[keyring]"; keyring set qingbo_widgets api_key'
_IN_CODE = N_("%env or os.environ in a cell also works, but anyone who opens the notebook can read the key.")
_KEY_MISSING = N_("Enter a key first.")


class ConnectPanel(Composite):
    """A panel that explains how to set a key, accepts one, or starts the sandbox.

    A key is checked at the service before it is used, which costs nothing.

    Args:
        on_connect: called with the manager once it is connected, on another thread after a check.
        former: a closed manager, whose contract, address, library and uploads the new one uses.

    Attributes:
        key_field: the field for the key.
        contract_field: the choice of the contract, and with it of the host that gets the key.
        connect_button: connects with the key.
        sandbox_button: starts the sandbox instead.
        note: a sentence about a key that could not be checked; empty if it was.
    """

    def __init__(self, on_connect: Callable[[TaskManager], None], former: Owner | None = None) -> None:
        self._on_connect, self._former = on_connect, former
        self.note = ""
        layout, style = {"width": "auto", "max_width": "480px"}, {"description_width": LABEL_WIDTH}
        self._entry = KeyEntry(
            tr("Connect"), weakly(self, "_connect"), "qingbo-note", layout=layout, style=style
        )
        self.key_field = self._entry.field
        #: The addresses that are shown: the environment may change before the click.
        self._addresses = {name: find_base_url(CONTRACTS[name]) for name in _CONTRACTS}
        usual, problem = usual_contract()
        if former is not None:
            usual, problem = former.client.contract.name, tr(_CLOSED)
            if not former.is_sandbox:
                self._addresses[usual] = former.client.base_url
        # Only these problems lead here with a key: otherwise, it would be connected.
        self._has_key = bool(problem) and _finds_key()
        self._is_keyring_silent = not self._has_key and is_silent()
        self.contract_field = create_widget(
            ipywidgets.Dropdown,
            tr(_CONTRACT_HELP),
            description=tr("Service"),
            options=[
                (tr(_CONTRACTS[name]).format(contract=name, host=_host(self._addresses[name])), name)
                for name in sorted(_CONTRACTS, key=lambda name: name != usual)
            ],
            value=usual,
            layout=layout,
            style=style,
        )
        self.connect_button = button(tr("Connect"), tr(_CONNECT_HELP), self._connect)
        self.sandbox_button = button(tr("Use the sandbox"), tr(_SANDBOX_HELP), self._start_sandbox)
        buttons = create_widget(
            ipywidgets.HBox,
            "",
            "qingbo-note",
            children=[self.connect_button, self.sandbox_button],
            layout={"flex_flow": "row wrap", "margin": "4px 0"},
        )
        super().__init__(
            [
                ipywidgets.HTML(markup.style() + self._intro(problem)),
                self.contract_field,
                self.key_field,
                self._entry.message,
                buttons,
            ],
            layout={"overflow": "visible"},
            _dom_classes=("qingbo",),
        )

    def _intro(self, problem: str) -> Markup:
        """Return why the panel is there, and the ways to go on."""
        way_on = tr(_CORRECT_IT if self._former is None else _CONNECT_AGAIN)
        why = markup.note(problem, "alarm") + markup.note(way_on, "hint") if problem else Markup()
        if self._has_key:
            return why + markup.tag("div", markup.text(tr(_WHICH_SERVICE)))
        if self._former is not None:  # whose user knows the ways
            return why
        command = markup.tag("code", markup.text(_KEYRING_COMMAND))
        ways = markup.join(
            markup.tag("li", markup.text(tr(way)).format(variable=API_KEY_VARIABLES[0], command=command))
            for way in _WAYS
        )
        if self._is_keyring_silent:
            why += markup.note(tr(_KEYRING_WAITS), "hint")
        head = markup.tag("div", markup.text(tr(_NO_KEY)), Markup(" "), keys_page())
        list_of_ways = markup.tag("ol", ways, style="margin: 4px 0 4px")
        return why + head + list_of_ways + markup.note(tr(_IN_CODE))

    def _connect(self) -> None:
        """Check the key and connect, after a click. The second click of a double click does nothing."""
        entry = self._entry
        if entry.is_checking:
            return
        if not (self.key_field.is_filled or self._has_key or self._is_keyring_silent):
            # The second of a double click finds the field empty; the error of the first stays.
            entry.show(sentences(entry.problem, tr(_KEY_MISSING)), "alarm" if entry.problem else "hint")
            return
        contract = self.contract_field.value
        # Kept as a secret, so that no traceback can print it.
        key, address = (
            (self.key_field.take() if self.key_field.is_filled else None),
            self._addresses[contract],
        )
        try:
            client = Client(key, address, contract=contract)
        except Exception as error:
            entry.fail(message_of(error))
            return

        def accept(note: str) -> None:
            client.close()
            self.note = note
            self._on_connect(self._open(key, base_url=address, contract=contract))

        entry.check(client, accept)

    def _open(self, *key: Secret | None, **where: Any) -> TaskManager:
        """Connect, with the library of the former connection if there was one."""
        from ...tasks.connection import connect

        former = self._former
        if former is None:
            return connect(*key, **where)
        library = Library(former.library.folder, database=former.library.journal.database)
        upload, embed, budget = former.inputs.upload, former.embed, former.budget
        manager = connect(*key, library=library, upload=upload, embed=embed, budget=budget, **where)
        manager.client.connect_arguments = former.client.connect_arguments
        return manager

    def _start_sandbox(self) -> None:
        self._entry.cancel()
        try:
            manager = self._open(sandbox=True, contract=self.contract_field.value)
        except Exception as error:
            self._entry.show(message_of(error), "alarm")
            return
        self.note = ""
        self._on_connect(manager)


def usual_contract() -> tuple[str, str]:
    """Return the contract of a connection that names none, and the problem if the chosen one does not exist.

    In that case, it is the current contract of the service.
    """
    from ...tasks.manager import TaskManager

    try:
        return find_contract(TaskManager.configured_contract()).name, ""
    except InvalidRequest as error:
        return next(iter(_CONTRACTS)), str(error)


def _finds_key() -> bool:
    try:
        return bool(find_api_key())
    except MissingApiKey:
        return False


def _host(address: str) -> str:
    """Return the host of an address, with its port. Of anything else nothing is shown: it may be a key."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2] or BASE_URL_VARIABLE
    except ValueError:
        return BASE_URL_VARIABLE
