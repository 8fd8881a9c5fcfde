"""``VideoStudio``: the form, the Generate button, and a card for each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets

from ...exceptions import InvalidRequest, MissingApiKey
from ...i18n import N_, set_locale, tr
from ...library.presets import Presets
from ...service.contract.contracts import CONTRACTS, Contract
from ...service.contract.frames import IMAGE
from ...service.contract.misspelt import check_names
from ...service.contract.offered import offers_fields
from ...service.contract.request import VideoRequest
from ...system.host import why_no_cards
from ...system.interrupts import uninterrupted
from ...system.threads import check_threads
from ...tasks.connection import current, default, reconnect
from ..base import clicks
from ..base import html as markup
from ..base.build import create_widget, style_sheet
from ..base.clicks import Clicks, message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.managers import is_manager, no_manager
from ..base.notify import install as install_bell
from ..base.output import CellOutput
from ..base.sync import refresher, update, weakly
from ..card import states
from ..card.task_card import TaskCard
from ..form.drafts import DraftKeeper, owner_of_new_form
from ..form.request_form import RequestForm
from .actions import Actions
from .card_list import CardList
from .cards import studio_card
from .connect import ConnectPanel, usual_contract
from .copy_writer import CopyWriter
from .form_column import FormColumn
from .head import StudioHead
from .key_status import KeyStatus
from .own_tasks import StudioTasks, own_task
from .shortcut import make_shortcut, shortcut_class
from .variations import PartlySubmitted, submit_all

if TYPE_CHECKING:
    from ...service.contract.fields import EveryField
    from ...tasks.task import Owner, Task

__all__ = ["VideoStudio"]

_CLOSED = N_("The connection is closed. Connect again above.")

CSS = markup.read_css(__file__, "studio.css")

#: Seconds after which a studio listens for Ctrl+Enter, shows the library's latest videos, and is prepared for
#: its first card.
READY_AFTER = 0.3
#: Seconds after the end of a task in which the library is read again.
RECENT_AFTER = 1.0
#: Seconds after which a studio shows the tasks of earlier runs of its cell, for which its form does not wait.
EARLIER_AFTER = 0.1
#: The number of earlier tasks that are shown first.
AT_FIRST = 4
#: The fields in which Ctrl+Enter generates.
_TEXTS = ("prompt", "negative_prompt", "shots", "multi_prompt")


class _StudioForm(RequestForm):
    """The form of a studio, which exists even if the contract was misspelt: the panel for the key says so."""

    def _find_contract(self) -> Contract:
        return CONTRACTS[usual_contract()[0]]


@offers_fields()
class VideoStudio(Composite):
    """A form, a Generate button, and the cards of the tasks submitted from it.

    Args:
        manager: the manager that submits and follows the tasks; by default the default manager. If that has
            no key either, the studio explains how to set one, and offers the sandbox.
        locale: the language, ``"en"`` or ``"zh"``, of all texts shown in this kernel from now on; by default
            that of the environment.
        **initial: initial values of the form's fields.

    Attributes:
        form: the form; all its traits can be set.
        generate_button: submits the form's request.

    Raises:
        TypeError: ``manager`` is not a manager, but e.g. a key.
        ValueError: the language is not supported.
        QingboError: this Python has no threads.
    """

    def __init__(
        self, manager: Owner | None = None, *, locale: str | None = None, **initial: Unpack[EveryField]
    ) -> None:
        if not is_manager(manager):
            error = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show the locals of a frame
            raise error
        if locale is not None:
            set_locale(locale)
        check_threads()
        self._clicks = Clicks()
        self._problem = ""
        self._panel: ConnectPanel | None = None
        check_names("VideoStudio()", initial, own=("manager", "locale", IMAGE))
        self.form: RequestForm = _StudioForm(**initial)
        self.form.controls["prompt"].add_class("qingbo-main")
        self._draft_owner = owner_of_new_form()
        self._draft: DraftKeeper | None = None
        self._own_tasks: StudioTasks | None = None
        on_price = weakly(self, "_update_balance")
        self._actions = Actions(self.form, self._generate, self._update_button, on_price)
        self.generate_button, self.variations = self._actions.generate_button, self._actions.variations
        self._key = KeyStatus(weakly(self, "_show_head"))
        self._head = StudioHead(self._key.change_button, self.form, self.variations)
        self._list = CardList(weakly(self, "_on_cards"))
        self._column = FormColumn(self.form, self._actions)
        self._body = create_widget(
            ipywidgets.Box,
            "",
            "qingbo-studio-body",
            children=[self._column, self._list],
            layout={"overflow": "visible"},
        )
        #: Children in every state of the studio, because a part that is no child is not closed with it.
        self._invisible: list[ipywidgets.Widget] = []
        self._is_ready = False
        super().__init__(
            [self._head, self._key],
            layout={"overflow": "visible"},
            _dom_classes=("qingbo", "qingbo-studio"),
        )
        self.cell_output = CellOutput(self)
        self._copy = CopyWriter(self)
        self.form.observe(lambda _: self._update_button(), "problems")
        if manager is None:
            manager = default()
        if manager is None:
            try:
                manager = current()
            except (MissingApiKey, InvalidRequest):  # the panel says which, and lets the user go on
                self._panel = ConnectPanel(self._on_connect)
                with update(self):
                    self._head.show(self._styles, None)
                    self.children = [self._head, self._key, self._panel]
                return
        self._on_connect(manager)

    @property
    def manager(self) -> Owner | None:
        """The manager that submits and follows the tasks; ``None`` until there is a key."""
        return self.form.manager

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards of the studio's tasks, newest first."""
        return self._list.cards

    @property
    def _styles(self) -> Markup:
        return markup.style() + markup.style(CSS) + self.cell_output.style

    def get_ready(self) -> None:
        """Create the parts for which neither the form nor a click should wait.

        The studio calls this ``READY_AFTER`` seconds after it was created; a second call does nothing.
        """
        if self.comm is None:
            return
        if self.manager is not None:
            self.manager.monitor.warm_up()
            self._key.check_soon()
        shortcut_class()  # imported before the lock is taken
        install_bell()
        with update(self):  # so that only one of two threads does it
            if self.comm is not None and not self._is_ready:
                self._is_ready = True
                self._invisible = [style_sheet(self), *make_shortcut(self._on_shortcut)]
                self.children = [*self.children, *self._invisible]
                self._head.show_bell()
        if self.manager is not None:
            self._head.show_balance(self.manager)
        self.update_recent()
        self._column.show_examples(self._list.above, is_empty=self._is_new)

    def update_recent(self) -> None:
        """Read the library's latest videos again, and show those that are no cards of this studio."""
        if self.comm is not None and self.manager is not None:
            self._column.show_recent(self.manager.library, {card.task.key for card in self.cards})

    def _stop(self) -> None:
        if self._draft is not None:
            self._draft.close()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._body,)

    def _ipython_display_(self, **_: Any) -> None:
        self._copy.show()

    def _on_connect(self, manager: Owner) -> None:
        self.form.manager = manager
        self._problem = ""
        if self._draft_owner is not None and self._draft is None:
            presets = Presets(manager.library.folder)
            self._draft = DraftKeeper(self.form, presets, self._draft_owner)
            self._own_tasks = StudioTasks(presets, self._draft_owner)
            if self._own_tasks.keys:
                refresher.later(EARLIER_AFTER, weakly(self, "_show_earlier"))
        if self.cards:
            refresher.later(0.0, weakly(self, "_take_over"))
        with update(self):
            self._show_head()
            self.children = [self._head, self._key, self._body, *self._invisible]
            self._key.follow(manager, "" if self._panel is None else self._panel.note)
        refresher.later(READY_AFTER, weakly(self, "get_ready"))
        if self._panel is not None:
            self._panel.close()
            self._panel = None
        self._update_offer()
        self._update_button()
        manager.on_close(weakly(self, "_on_closed"))
        self._on_closed()

    def _on_closed(self) -> None:
        """Show that the connection is closed, and how to connect again; the form and the cards stay."""
        manager = self.manager
        with update(self):
            if self.comm is None or manager is None or not manager.is_closed or self._panel is not None:
                return
            self._panel = ConnectPanel(self._on_connect, manager)
            self._key.change_button.layout.display = "none"
            self._show_head()
            self.children = [self._head, self._key, self._panel, self._body, *self._invisible]
        self._update_button()

    def _show_head(self) -> None:
        self._head.show(self._styles, self.manager)

    def _update_balance(self) -> None:
        """Show whether the balance pays for the request in the form, whose price is known now."""
        self._head.update_balance()

    def _update_offer(self) -> None:
        """Offer the contract that the server seems to speak, if it is not that of the connection."""
        manager = self.manager
        self._key.refresh()
        contract = None if manager is None else manager.client.seen_contract
        self._actions.offer_contract(contract, self._use_contract)

    def _use_contract(self, contract: str) -> None:
        """Connect again in another contract after a click; submit nothing."""
        manager = self.manager
        if manager is None or self.comm is None:
            return
        self._problem = ""
        try:
            self._on_connect(reconnect(manager, contract))
        except Exception as error:
            self._problem = message_of(error)
            self._update_button()

    def _update_button(self) -> None:
        """Enable or disable Generate, and show the reason."""
        manager = self.manager
        with update():  # another thread must not show an older state later
            is_closed = manager is not None and manager.is_closed
            self._actions.show(
                self.cell_output.copy_class,
                tr(_CLOSED) if is_closed else why_no_cards() or self.form.obstacle,
                self._problem,
                would_repeat=self._clicks.would_repeat,
            )
        self._head.update_balance()

    # ------------------------------------------------------------------ submitting

    def _on_shortcut(self, label: str, text: str) -> None:
        """Submit after Ctrl+Enter in a prompt, with the text that the page sent for it."""
        with update():  # as for a click
            request, manager = self.form.with_text(label, text), self.manager
            others = [problem for problem in self.form.problems if problem.field not in _TEXTS]
        if request is None or manager is None:
            return
        if not (others or manager.inputs.other_problems(request, self.form.contract.name)):
            self._submit_request(request, lambda: manager.submit(request), self.variations.value)

    def _generate(self) -> None:
        """Submit after a click on Generate, and fold the form, which the user has left."""
        with update():  # a stroke that is being saved on another thread was painted before the click
            request = self.form.request
        if self._submit_request(request, self.form.submit, self.variations.value):
            self._column.fold()

    def _submit_request(self, request: VideoRequest, submit: Callable[[], Task], count: int) -> bool:
        """Submit the request of the form; return whether all of it was submitted."""
        is_complete = self._submit(request, submit, count) and not self._problem
        if is_complete:
            self._column.dismiss_source()
        return is_complete

    def _submit(self, request: VideoRequest, submit: Callable[[], Task], count: int = 1) -> bool:
        """Submit after a click; return whether anything was submitted.

        The second of a double click is ignored, because it would cost money.
        """
        if self.comm is None or why_no_cards():
            return False  # a studio that is closed, or shows no videos, must not spend money
        tasks: tuple[Task, ...] = ()
        with self._clicks.once((request, count)) as is_new:
            if not is_new:
                return False
            self._problem = ""
            # An interrupt between two submissions would leave tasks that are charged and have no card.
            with uninterrupted():
                try:
                    tasks = submit_all(submit, count)
                except PartlySubmitted as error:
                    tasks, self._problem = error.tasks, message_of(error)
                except Exception as error:
                    self._clicks.forget()
                    self._problem = message_of(error)
                if tasks:
                    self._list.add([self._card(task) for task in tasks])
        refresher.later(clicks.DOUBLE_CLICK, weakly(self, "_update_button"))
        self._update_button()
        return bool(tasks)

    # ------------------------------------------------------------------ cards

    def _show_earlier(self) -> None:
        """Show the tasks that earlier runs of the cell have submitted, below those of this one."""
        manager, own_tasks = self.manager, self._own_tasks
        if manager is None or own_tasks is None or self.comm is None:
            return
        tasks = own_tasks.load(manager)[::-1]
        # Those that the user looks at first are not kept waiting for the others.
        for batch in (tasks[:AT_FIRST], tasks[AT_FIRST:]):
            shown = {card.task.key for card in self.cards}
            with update():
                if self.comm is None:  # closed meanwhile
                    return
                earlier = [self._card(task) for task in batch[::-1] if task.key not in shown]
                self._list.add(earlier, are_older=True)

    def _take_over(self) -> None:
        """Replace the cards of a closed connection, which no longer follows their tasks."""
        manager = self.manager
        if manager is None or manager.is_closed:
            return
        for card in self.cards:
            if card.task.manager.is_closed and not states.is_settled(card.task):
                if (task := own_task(manager, card.task.key)) is None:
                    continue
                with update():
                    if self.comm is None:  # closed meanwhile
                        return
                    self._list.replace(card, self._card(task))

    def _card(self, task: Task) -> TaskCard:
        card = studio_card(task, self._column, self.generate_button, self._submit)
        card.on_redraw(self, "_on_redraw")
        self.cell_output.add_part(card.cell_output)
        return card

    def _on_redraw(self) -> None:
        """Handle a status change of a task."""
        if self.comm is None:
            return
        self._list.arrange()
        self._copy.write_soon()
        self._update_offer()
        self._actions.price_line.refresh()  # the service may have reserved another amount
        if self._all_ended:
            refresher.later(RECENT_AFTER, weakly(self, "update_recent"))

    def _on_cards(self) -> None:
        """Handle a change of the list of cards."""
        self._copy.write_soon()
        if self._own_tasks is not None:
            self._own_tasks.remove([card.task.key for card in self._list.cleared])
            self._own_tasks.add(card.task.key for card in self.cards[::-1])
        if self._is_ready:
            self._column.show_examples(self._list.above, is_empty=self._is_new)
            refresher.later(0.0, weakly(self, "update_recent"))

    @property
    def _is_new(self) -> bool:
        """True before the studio has its first card."""
        return not (self.cards or self._list.cleared)

    @property
    def _all_ended(self) -> bool:
        return all(states.is_over(card.task) for card in self.cards)

    def redraw_now(self) -> None:
        """Redraw the cards and the static copy immediately."""
        for card in self.cards:
            card.redraw_now()
        self._copy.write()
