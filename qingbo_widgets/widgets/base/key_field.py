"""``KeyField``, the password field for an API key, and ``KeyEntry``, which checks what was typed into it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import ipywidgets
from traitlets import Unicode

from ...i18n import N_, sentences, tr
from ...service.client import Client
from ...service.contract.terms import KEYS_PAGE
from ...service.key_check import KeyCheck, Verdict
from ...service.secrets.known_keys import remember
from ...service.secrets.secret import FIELD, Secret
from ...tasks.background.key_checks import key_checks
from . import html as markup
from .announcement import announcement
from .build import create_widget, focus
from .clicks import message_of
from .html import Markup
from .ipw import Password
from .sync import update
from .unlogged import keep_out_of_the_log

__all__ = ["KeyEntry", "KeyField", "keys_page"]

_HELP = N_("The key stays in this kernel's memory. It is sent only to the service and never saved.")
_CHECKING = N_("Checking the key…")
_NOT_SUBMITTED = N_("Nothing was submitted. Enter another key.")
_KEY_IS_HERE = N_("The key is entered and hidden. Press {button}.")
_PAGE = N_("Create a key ({host})")
#: Seconds in which the page sends the key after Enter was pressed in the field.
_AFTER_ENTER = 2.0


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
            self._secret = remember(Secret(change["new"], FIELD))
            change["new"] = ""  # other observers and tracebacks have the same dictionary
            with update(self):
                self.value = ""


class KeyEntry:
    """A key field with its message, and the check of a key at the service. Not a widget itself.

    The check runs on a thread of its own, so that no cell waits for the network. It submits nothing.

    Args:
        button: the label of the button that uses the key, as the message names it.
        use: what that button does, for Enter in the field.
        **traits: further traits of the field.

    Attributes:
        field: the field.
        message: the widget with the state of the check, which belongs beside the field.
    """

    def __init__(self, button: str, use: Callable[[], object], *classes: str, **traits: Any) -> None:
        self._button, self._use = button, use
        self._entered_at = float("-inf")
        self.field = create_widget(
            KeyField, tr(_HELP), description=tr("API key"), placeholder=tr("paste it here"), **traits
        )
        self.message = create_widget(ipywidgets.HTML, "", *classes)
        #: The error of the last click, until another key is typed.
        self.problem = ""
        self._run: object = None
        self.field.observe(self._on_key, "value")
        self.field.on_msg(self._on_message)

    @property
    def is_checking(self) -> bool:
        """True while a check runs or its result is carried out."""
        return self._run is not None

    def check(self, client: Client, accept: Callable[[str], object]) -> None:
        """Check the key of a client, then accept it unless the service refuses it.

        Args:
            client: the client with the key.
            accept: called on another thread with a note for the user, empty if the service knows the key. Its
                errors are shown beside the field.
        """
        run = self._run = object()
        self.show(tr(_CHECKING), "hint")
        context = copy_context()  # with the time of the click, from which on the focus is the user's
        key_checks.check(client, lambda result: context.run(self._carry_out, run, result, accept))

    def cancel(self) -> None:
        """Ignore the result of a running check."""
        self._run = None

    def fail(self, problem: str) -> None:
        """Show an error beside the field, and move the focus there."""
        self.problem = problem
        self.show(problem, "alarm")
        focus(self.field)

    def show(self, text: str, kind: str = "dim") -> None:
        """Show a message beside the field, and announce it to screen readers."""
        html = markup.note(text, kind) if text else Markup()
        with update(self.message):
            self.message.value = html + announcement(f"qingbo-key-{self.field.model_id}", text)

    def _on_key(self, _: Any) -> None:
        if not self.is_checking:
            self.problem = ""
            self.show(tr(_KEY_IS_HERE).format(button=self._button) if self.field.is_filled else "")
            if self.field.is_filled and time.monotonic() - self._entered_at < _AFTER_ENTER:
                self._enter()

    def _on_message(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """Use the key after Enter. The page sends Enter first, then the key, unless that is here already."""
        if content.get("event") == "submit":
            self._entered_at = time.monotonic()
            if self.field.is_filled:
                self._enter()

    def _enter(self) -> None:
        self._entered_at = float("-inf")
        self._use()

    def _carry_out(self, run: object, result: KeyCheck, accept: Callable[[str], object]) -> None:
        """Accept a checked key, or show why not."""
        if self._run is not run or self.field.comm is None:
            return
        problem = self._problem_of(result, accept)
        if self._run is run:
            self._run = None  # before the message: the user may enter another key at once
            if problem and self.field.comm is not None:
                self.fail(problem)

    @staticmethod
    def _problem_of(result: KeyCheck, accept: Callable[[str], object]) -> str:
        if result.verdict is Verdict.refused:
            return sentences(result.message, tr(_NOT_SUBMITTED))
        try:
            accept(result.message)
        except Exception as error:
            return message_of(error)
        return ""


def keys_page() -> Markup:
    """Return the link to the page of the service on which keys are made."""
    host = KEYS_PAGE.partition("://")[2].partition("/")[0]
    text = markup.text(tr(_PAGE).format(host=host))
    # The page's own style makes a link look like text.
    style = "color: var(--jp-content-link-color, #1976d2); text-decoration: underline"
    return markup.tag("a", text, href=KEYS_PAGE, target="_blank", rel="noopener noreferrer", style=style)
