"""``ConnectPanel``: the panel that requests an API key, and its password field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ipywidgets
from traitlets import Unicode

from ...exceptions import InvalidRequest, MissingApiKey
from ...i18n import N_, sentences, tr
from ...service.contract.contracts import CONTRACTS
from ...service.credentials import (
    API_KEY_VARIABLES,
    BASE_URL_VARIABLE,
    find_api_key,
    find_base_url,
    find_contract,
)
from ...service.secrets.key_ring import is_silent
from ...service.secrets.known_keys import remember
from ...service.secrets.secret import Secret
from ..base import html as markup
from ..base.build import button, create_widget
from ..base.clicks import message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.ipw import Password
from ..base.sync import update
from ..base.unlogged import keep_out_of_the_log
from ..form.fields import LABEL_WIDTH

if TYPE_CHECKING:
    from ...tasks.manager import TaskManager

__all__ = ["ConnectPanel", "KeyField", "usual_contract"]

_FIELD_HELP = N_(
    "The key from the service's dashboard. It stays in this kernel's memory and is written nowhere."
)
_CONNECT_HELP = N_("Connect to the service with this key.")
_SANDBOX_HELP = N_("A stand-in for the service on this machine: no key, no cost, not the AI.")
_CONTRACT_HELP = N_("The key is sent to the host in parentheses, and to no other.")
#: The service's contracts as a user knows them, the current one first. It is preselected if none is chosen.
_CONTRACTS = {"2026-11": N_("Today's service ({host})"), "2026-04": N_("April 2026 ({host})")}
_NO_KEY = N_("No API key was found. Three ways to go on:")
_KEYRING_WAITS = N_(
    "The keyring does not answer, and may be waiting to be unlocked. If it has the key, unlock it and press "
    "Connect."
)
_WHICH_SERVICE = N_(
    "A key was found. Choose the service that it is for and press Connect, or use the sandbox."
)
_CORRECT_IT = N_("Choose the service here. To choose it for good, correct that and restart the kernel.")
_WAYS = (
    N_("Best: set the environment variable {variables} before Jupyter starts, then restart the kernel."),
    N_("For this kernel only: put the key in here."),
    N_("Without a key: try everything in the sandbox, which draws test videos on this machine."),
)
_KEY_IS_HERE = N_("A key is here, hidden. Press Connect.")
_KEY_MISSING = N_("Put a key in first.")


class KeyField(Password):
    """A password field whose value Jupyter can neither store nor show.

    Typed text is moved at once from the synced trait into a ``Secret``, and the field is blank again, in the
    browser too. ``take`` returns the secret once.
    """

    # Without the echo, the key is not broadcast to every client of the kernel.
    value = Unicode("", help="Always blank: typed text is moved out at once.").tag(
        sync=True, echo_update=False
    )

    def __init__(self, **kwargs: Any) -> None:
        self._secret = Secret("")
        super().__init__(**kwargs | {"continuous_update": False})
        keep_out_of_the_log(self)
        self.observe(self._move_out, "value")

    @property
    def is_filled(self) -> bool:
        """True if the field has a key to ``take``."""
        return bool(self._secret)

    def take(self) -> Secret:
        """Return the key and forget it."""
        secret, self._secret = self._secret, Secret("")
        return secret

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state for the page and for files, in which the value is always blank."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        if "value" in state:
            state["value"] = ""
        return state

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'filled' if self.is_filled else 'empty'})"

    def _move_out(self, change: Any) -> None:
        if change["new"]:
            self._secret = remember(Secret(change["new"]))
            change["new"] = ""  # other observers and tracebacks have the same dictionary
            with update(self):
                self.value = ""


class ConnectPanel(Composite):
    """A panel that explains how to set a key, accepts one, or starts the sandbox.

    Args:
        on_connect: called with the manager once it is connected.

    Attributes:
        key_field: the field for the key.
        contract_field: the choice of the contract, and with it of the host that gets the key.
        connect_button: connects with the key.
        sandbox_button: starts the sandbox instead.
    """

    def __init__(self, on_connect: Callable[[TaskManager], None]) -> None:
        self._on_connect = on_connect
        self.key_field = create_widget(
            KeyField,
            tr(_FIELD_HELP),
            description=tr("API key"),
            placeholder=tr("paste it here"),
            layout={"width": "auto", "max_width": "480px"},
            style={"description_width": LABEL_WIDTH},
        )
        #: The addresses that are shown: the environment may change before the click.
        self._addresses = {name: find_base_url(CONTRACTS[name]) for name in _CONTRACTS}
        usual, problem = usual_contract()
        # Only a misspelt contract leads here with a key: otherwise, it would be connected.
        self._has_key = bool(problem) and _finds_key()
        self._is_keyring_silent = not self._has_key and is_silent()
        self.contract_field = create_widget(
            ipywidgets.Dropdown,
            tr(_CONTRACT_HELP),
            description=tr("Service"),
            options=[
                (tr(_CONTRACTS[name]).format(host=_host(self._addresses[name])), name)
                for name in sorted(_CONTRACTS, key=lambda name: name != usual)
            ],
            value=usual,
            layout={"width": "auto", "max_width": "480px"},
            style={"description_width": LABEL_WIDTH},
        )
        self.connect_button = self._button(tr("Connect"), tr(_CONNECT_HELP), self._connect)
        self.sandbox_button = self._button(tr("Use the sandbox"), tr(_SANDBOX_HELP), self._start_sandbox)
        self._message = ipywidgets.HTML()
        buttons = ipywidgets.HBox(
            [self.connect_button, self.sandbox_button], layout={"flex_flow": "row wrap", "margin": "4px 0"}
        )
        super().__init__(
            [
                ipywidgets.HTML(markup.style() + self._intro(problem)),
                self.contract_field,
                self.key_field,
                buttons,
                self._message,
            ],
            layout={"overflow": "visible"},
            _dom_classes=("qingbo",),
        )
        #: The error of the last click, until another key is typed.
        self._problem = ""
        self.key_field.observe(self._on_key, "value")

    def _intro(self, problem: str) -> Markup:
        """Return why the panel is there, and the ways to go on."""
        why = markup.note(problem, "alarm") + markup.note(tr(_CORRECT_IT), "hint") if problem else Markup()
        if self._has_key:
            return why + markup.tag("div", markup.text(tr(_WHICH_SERVICE)))
        ways = markup.join(
            markup.tag("li", markup.text(tr(way).format(variables=API_KEY_VARIABLES[0]))) for way in _WAYS
        )
        if self._is_keyring_silent:
            why += markup.note(tr(_KEYRING_WAITS), "hint")
        head = markup.tag("div", markup.text(tr(_NO_KEY)))
        return why + head + markup.tag("ol", ways, style="margin: 4px 0 8px")

    def _button(self, description: str, tooltip: str, act: Callable[[], TaskManager | None]) -> Any:
        return button(description, tooltip, lambda: self._act(act))

    def _on_key(self, _: Any) -> None:
        self._problem = ""
        self._show_message(tr(_KEY_IS_HERE) if self.key_field.is_filled else "")

    def _act(self, act: Callable[[], TaskManager | None]) -> None:
        try:
            manager = act()
        except Exception as error:
            self._problem = message_of(error)
            self._show_message(self._problem, "alarm")
            return
        if manager is not None:
            self._on_connect(manager)

    def _connect(self) -> TaskManager | None:
        from ...tasks.connection import connect

        if not (self.key_field.is_filled or self._has_key or self._is_keyring_silent):
            # The second of a double click finds the field empty; the error of the first stays.
            text = sentences(self._problem, tr(_KEY_MISSING))
            self._show_message(text, "alarm" if self._problem else "hint")
            return None
        contract = self.contract_field.value
        # Passed as a secret, so that no traceback can print it.
        key = self.key_field.take() if self.key_field.is_filled else None
        return connect(key, base_url=self._addresses[contract], contract=contract)

    def _start_sandbox(self) -> TaskManager:
        from ...tasks.connection import connect

        return connect(sandbox=True, contract=self.contract_field.value)

    def _show_message(self, text: str, kind: str = "dim") -> None:
        with update(self._message):
            self._message.value = markup.note(text, kind) if text else ""


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
