"""``VideoStudio``: the form, the Generate button, and a card for each task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets

from ...exceptions import InvalidRequest, MissingApiKey
from ...i18n import N_, set_locale, tr
from ...library.presets import Presets
from ...media.frames import save_frame
from ...service.contract.contracts import CONTRACTS, Contract
from ...service.contract.offered import offers_fields
from ...service.contract.request import VideoRequest
from ...system.interrupts import uninterrupted
from ...tasks.connection import current, reconnect
from ...tasks.saved_video import video_of
from ..base import clicks
from ..base import html as markup
from ..base.announcement import announcement
from ..base.build import PAYS, button, create_shared, create_widget, set_busy, style_sheet
from ..base.clicks import Clicks, message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.managers import is_manager, no_manager
from ..base.notify import bell
from ..base.notify import install as install_bell
from ..base.output import CellOutput
from ..base.sync import close_whole, refresher, update, weakly
from ..card import states
from ..card.task_card import TaskCard
from ..form.drafts import DraftKeeper, owner_of_new_form
from ..form.request_form import RequestForm
from .card_list import CardList
from .connect import ConnectPanel, usual_contract
from .follow_up import continued
from .form_column import FormColumn, NextInStudio
from .key_status import KeyStatus
from .own_tasks import StudioTasks
from .shortcut import make_shortcut, shortcut_class
from .static_copy import StudioCopy, plain_copy
from .variations import PartlySubmitted, generate_label, submit_all, variations_control

if TYPE_CHECKING:
    from ...service.contract.fields import EveryField
    from ...tasks.task import Owner, Task

__all__ = ["VideoStudio"]

CSS = markup.read_css(__file__, "studio.css")

_GENERATE_HELP = N_("Submits the task; so does Ctrl+Enter in the prompt. Several can run at once.")
_SAME = N_("Regenerate")
_SAME_HELP = N_(
    "Submits the same request once more, as a new task with a new result. It costs the same again."
)
_CHANGED = N_("Edit and regenerate")
_CHANGED_HELP = N_("Fills in the form as it was for this task. Nothing is submitted.")
_CONTINUE = N_("Continue")
_CONTINUE_HELP = N_(
    "Fills in the form for a video that begins with the last frame of this one. Nothing is submitted."
)
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
_USE_CONTRACT = N_("Use contract {contract}")
_USE_CONTRACT_HELP = N_(
    "This server answers in contract {contract} of the service. Connects again in it, with the same key, "
    "address and library. Nothing is submitted, and the form stays as it is."
)
_IN_CONTRACT = N_("contract {contract}")
_SANDBOX = N_("Sandbox: free, no key. Placeholder videos, not AI.")
_CONNECTED = N_("Connected to {service}")
_VIDEOS = N_("videos are saved in {folder}")


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
        self._clicks = Clicks()
        self._problem = ""
        self._copied_at, self._is_copy_due = 0.0, False
        self._panel: ConnectPanel | None = None
        self.form: RequestForm = _StudioForm(**initial)
        self.form.controls["prompt"].add_class("qingbo-main")
        self._draft_owner = owner_of_new_form()
        self._draft: DraftKeeper | None = None
        self._own_tasks: StudioTasks | None = None
        self.generate_button = button(
            generate_label(1),
            tr(_GENERATE_HELP),
            self._generate,
            button_style="primary",
            layout={"width": "auto", "min_width": "124px"},
        )
        self.variations = variations_control()
        self.variations.observe(lambda _: self._update_button(), "value")
        # The text wraps before the buttons go below it.
        self._head = ipywidgets.HTML(layout={"flex": "1 1 240px", "min_width": "0"})
        self._bell = create_shared(ipywidgets.Box, "", "qingbo-bell-place")
        self._key = KeyStatus()
        head_layout = {"flex_flow": "row wrap", "align_items": "center", "overflow": "visible"}
        self._head_row = ipywidgets.HBox(
            [self._head, self._key.change_button, self._bell], layout=head_layout
        )
        self._reason = ipywidgets.HTML(layout={"flex": "1 1 160px", "margin": "0 0 0 10px"})
        self._actions = ipywidgets.HBox(
            [self.generate_button, self.variations, self._reason],
            # With the height of two lines, so that Generate does not move when the reason goes.
            layout={
                "flex_flow": "row wrap",
                "align_items": "center",
                "margin": "8px 0 4px",
                "min_height": "40px",
            },
        )
        self._offered_contract: str | None = None
        self._use_contract_button: Any = None
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
            [self._head_row, self._key],
            layout={"overflow": "visible"},
            _dom_classes=("qingbo", "qingbo-studio"),
        )
        self.cell_output = CellOutput(self)
        self._copy = StudioCopy(self.cell_output.copy_class)
        self.form.observe(lambda _: self._update_button(), "problems")
        if manager is None:
            try:
                manager = current()
            except (MissingApiKey, InvalidRequest):  # the panel says which, and lets the user go on
                self._panel = ConnectPanel(self._on_connect)
                with update(self, self._head):
                    self._head.value = self._styles
                    self.children = [self._head_row, self._key, self._panel]
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
                self._bell.children = bell(self._bell)
        self._column.show_examples(self._list.above, not self.cards)
        self.update_recent()

    def update_recent(self) -> None:
        """Read the library's latest videos again, and show those that are no cards of this studio."""
        if self.comm is not None and self.manager is not None:
            self._column.show_recent(self.manager.library, {card.task.key for card in self.cards})

    def _stop(self) -> None:
        if self._draft is not None:
            self._draft.close()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._bell, self._body)

    def _ipython_display_(self, **_: Any) -> None:
        with update():
            copy, *older = self._copy.parts(self.cards, self)
        self.cell_output.show(copy, plain_copy(self.cards, self), *older)

    def _on_connect(self, manager: Owner) -> None:
        self.form.manager = manager
        if self._draft_owner is not None and self._draft is None:
            presets = Presets(manager.library.folder)
            self._draft = DraftKeeper(self.form, presets, self._draft_owner)
            self._own_tasks = StudioTasks(presets, self._draft_owner)
            if self._own_tasks.keys:
                refresher.later(EARLIER_AFTER, weakly(self, "_show_earlier"))
        service = (
            tr(_SANDBOX) if manager.is_sandbox else tr(_CONNECTED).format(service=manager.client.base_url)
        )
        in_contract = tr(_IN_CONTRACT).format(contract=manager.client.contract.name)
        folder = tr(_VIDEOS).format(folder=manager.library.folder.name)
        status = markup.tag(
            "div",
            markup.span(service, "qingbo-status" if manager.is_sandbox else None),
            markup.span(in_contract, "qingbo-dim"),
            markup.span(folder, "qingbo-dim"),
            class_="qingbo-head",
        )
        with update(self, self._head):
            self._head.value = self._styles + status
            self.children = [self._head_row, self._key, self._body, *self._invisible]
            self._key.follow(manager, "" if self._panel is None else self._panel.note)
        refresher.later(READY_AFTER, weakly(self, "get_ready"))
        if self._panel is not None:
            self._panel.close()
            self._panel = None
        self._update_offer()
        self._update_button()

    def _update_offer(self) -> None:
        """Offer the contract that the server seems to speak, if it is not that of the connection."""
        manager = self.manager
        self._key.refresh()
        contract = None if manager is None else manager.client.seen_contract
        with update(self._actions):
            if self.comm is None or contract == self._offered_contract:
                return
            self._offered_contract, old = contract, self._use_contract_button
            self._use_contract_button = None if contract is None else self._contract_button(contract)
            offer = [] if self._use_contract_button is None else [self._use_contract_button]
            self._actions.children = [self.generate_button, self.variations, self._reason, *offer]
        if old is not None:
            close_whole(old)

    def _contract_button(self, contract: str) -> Any:
        label, help_text = tr(_USE_CONTRACT), tr(_USE_CONTRACT_HELP)
        return button(
            label.format(contract=contract),
            help_text.format(contract=contract),
            lambda: self._use_contract(contract),
        )

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
        obstacle = self.form.obstacle
        with update(self.generate_button, self._reason):
            self.generate_button.description = generate_label(self.variations.value)
            self.generate_button.disabled = bool(obstacle)
            set_busy(self.generate_button, self._clicks.would_repeat)
            if self._problem:
                reason = markup.note(self._problem, "alarm")
            else:
                reason = markup.note(obstacle) if obstacle else Markup()
            # An obstacle is not announced: it changes with every letter that is typed.
            self._reason.value = reason + announcement(
                self.cell_output.copy_class, self._problem, is_urgent=True
            )

    # ------------------------------------------------------------------ submitting

    def _on_shortcut(self, label: str, text: str) -> None:
        """Submit after Ctrl+Enter in a prompt, with the text that the page sent for it."""
        request, manager = self.form.with_text(label, text), self.manager
        if request is None or manager is None:
            return
        others = [problem for problem in self.form.problems if problem.field not in _TEXTS]
        if not (request.problems(self.form.contract.name) or others):
            self._submit(request, lambda: manager.submit(request), self.variations.value)

    def _generate(self) -> None:
        """Submit after a click on Generate, and fold the form, which the user has left."""
        if self._submit(self.form.request, self.form.submit, self.variations.value) and not self._problem:
            self._column.fold()

    def _submit(self, request: VideoRequest, submit: Callable[[], Task], count: int = 1) -> bool:
        """Submit after a click; return whether anything was submitted.

        The second of a double click is ignored, because it would cost money.
        """
        if self.comm is None:
            return False  # a closed studio must not spend money
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

    def _card(self, task: Task) -> TaskCard:
        card = TaskCard(task, offers_contract=False)
        prompt = "" if task.request is None else " / ".join(task.request.prompts)
        card.buttons.next_form = NextInStudio(self._column, self.generate_button, prompt)
        card.on_redraw(self, "_on_redraw")
        request, submit = task.request, task.manager.submit
        if request is not None:
            card.offer(
                tr(_SAME), tr(_SAME_HELP), lambda: self._submit(request, lambda: submit(request)), PAYS
            )
            card.offer(tr(_CHANGED), tr(_CHANGED_HELP), lambda: self._column.load(task, prompt))
            card.offer(tr(_CONTINUE), tr(_CONTINUE_HELP), lambda: self._continue(card), needs_video=True)
        self.cell_output.add_part(card.cell_output)
        return card

    def _on_redraw(self) -> None:
        """Handle a status change of a task."""
        self._list.arrange()
        self._update_copy_soon()
        self._update_offer()
        if self._all_ended:
            refresher.later(RECENT_AFTER, weakly(self, "update_recent"))

    def _on_cards(self) -> None:
        """Handle a change of the list of cards."""
        self._update_copy_soon()
        if self._own_tasks is not None:
            self._own_tasks.remove([card.task.key for card in self._list.cleared])
            shown = [card.task.key for card in self.cards[::-1]]
            if not set(shown) <= set(self._own_tasks.keys):
                for key in shown:  # all of them, in this order
                    self._own_tasks.add(key)
        if self._is_ready:
            self._column.show_examples(self._list.above, not self.cards)
            refresher.later(0.0, weakly(self, "update_recent"))

    @staticmethod
    def _continue(card: TaskCard) -> None:
        """Fill in the form for a video that begins with the last frame of a card's."""
        task = card.task
        request, frame = task.request or VideoRequest(task.model), save_frame(video_of(task), None)
        card.buttons.next_form.offer(lambda manager: continued(request, frame, manager, task.contract))

    # ------------------------------------------------------------------ the static copy

    def _update_copy_soon(self) -> None:
        """Schedule an update of the static copy after a status change; no click waits for it."""
        with update():
            # Once all tasks have ended, the user may save the notebook and stop the kernel at any time: do
            # not wait.
            all_ended = self._all_ended
            if not self.cell_output.has_copy or (self._is_copy_due and not all_ended):
                return
            self._is_copy_due = True
            rest = 0.0 if all_ended else self._copied_at + self._copy.pause - time.monotonic()
        refresher.later(max(rest, 0.0), weakly(self, "_update_copy"))

    @property
    def _all_ended(self) -> bool:
        return all(states.is_over(card.task) for card in self.cards)

    def redraw_now(self) -> None:
        """Redraw the cards and the static copy immediately."""
        for card in self.cards:
            card.redraw_now()
        self._update_copy()

    def _update_copy(self) -> None:
        with update():  # so that the later of two threads writes the later state
            if self._is_copy_due:
                self._copied_at, self._is_copy_due = time.monotonic(), False
                copy, *older = self._copy.parts(self.cards, self)
                self.cell_output.set_copy(copy, plain_copy(self.cards, self), *older)
