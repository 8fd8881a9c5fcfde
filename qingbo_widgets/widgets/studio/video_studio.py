"""``VideoStudio``: the form, the button, and a card for each task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import ipywidgets

from ...exceptions import MissingApiKey
from ...i18n import N_, set_locale, tr
from ...library.presets import Presets
from ...tasks.connection import current
from ..base import clicks
from ..base import html as markup
from ..base.build import button, style_sheet
from ..base.clicks import Clicks, message_of
from ..base.composite import Composite
from ..base.html import Markup
from ..base.managers import is_manager, no_manager
from ..base.output import Lasting
from ..base.sync import refresher, update, weakly
from ..card import text as task_text
from ..card.task_card import TaskCard
from ..form.drafts import DraftKeeper, cell_key
from ..form.request_form import RequestForm
from .connect import ConnectPanel
from .shortcut import make_shortcut, shortcut_class

if TYPE_CHECKING:
    from ...service.contract.fields import EveryField
    from ...service.contract.request import VideoRequest
    from ...tasks.task import Owner, Task

__all__ = ["VideoStudio"]

#: Seconds between two writings of what outlives the kernel while tasks are under way: all tasks each time.
KEEP_EVERY = 1.0

_GENERATE_HELP = N_("Submits the task; so does Ctrl+Enter in the prompt. Several can be under way at once.")
_SAME = N_("Same again")
_SAME_HELP = N_(
    "Submits the same request once more, as a new task with a new result. It costs the same again."
)
_CHANGED = N_("Same with changes")
_CHANGED_HELP = N_("Fills the form in as it was for this task. Nothing is submitted.")
#: Seconds after which a studio hears Ctrl+Enter, and has ready what its first card needs.
READY_AFTER = 0.3
#: The fields in which Ctrl+Enter generates.
_TEXTS = ("prompt", "negative_prompt", "shots")
_SANDBOX = N_("Sandbox: no key, no cost, not the AI.")
_CONNECTED = N_("Connected to {service}")
_VIDEOS = N_("videos are saved in {folder}")


class VideoStudio(Composite):
    """Videos from a form: fill it in, press Generate, watch the card.

    Args:
        manager: what submits and follows; the default one when left out. Where there is no key either, the
            studio shows how to give one, and offers the sandbox.
        locale: the language, ``"en"`` or ``"zh"``, of everything that is shown from then on in this kernel;
            by default that of the environment.
        **initial: first values of the form's fields.

    Attributes:
        form: the form; all its traits can be set.
        generate_button: submits the form's request.

    Raises:
        TypeError: ``manager`` is something else, a key perhaps.
        ValueError: there is no such language here.
    """

    def __init__(
        self, manager: Owner | None = None, *, locale: str | None = None, **initial: Unpack[EveryField]
    ) -> None:
        if not is_manager(manager):
            refused = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show what a frame still has
            raise refused
        if locale is not None:
            set_locale(locale)
        self._cards: tuple[TaskCard, ...] = ()
        self._clicks = Clicks()
        self._told = ""
        self._kept_at, self._is_to_keep = 0.0, False
        self._panel: ConnectPanel | None = None
        self.form = RequestForm(**initial)
        self._cell = cell_key()
        self._draft: DraftKeeper | None = None
        self.generate_button = button(
            tr("Generate"),
            tr(_GENERATE_HELP),
            self._generate,
            button_style="primary",
            layout={"width": "auto", "min_width": "124px"},
        )
        self._head = ipywidgets.HTML()
        self._reason = ipywidgets.HTML(layout={"flex": "1 1 200px", "margin": "0 0 0 10px"})
        self._actions = ipywidgets.HBox(
            [self.generate_button, self._reason],
            layout={"flex_flow": "row wrap", "align_items": "center", "margin": "8px 0 4px"},
        )
        self._column = ipywidgets.VBox(layout={"overflow": "visible"})
        self._shortcut: list[ipywidgets.Widget] = []
        self._is_ready = False
        super().__init__(
            [self._head], layout={"overflow": "visible"}, _dom_classes=("qingbo", "qingbo-studio")
        )
        self.lasting = Lasting(self)
        self.form.observe(lambda _: self._look(), "problems")
        if manager is None:
            try:
                manager = current()
            except MissingApiKey:
                self._panel = ConnectPanel(self._connected)
                with update(self, self._head):
                    self._head.value = markup.style() + self.lasting.style
                    self.children = [self._head, self._panel]
                return
        self._connected(manager)

    @property
    def manager(self) -> Owner | None:
        """What submits and follows the tasks; ``None`` as long as there is no key."""
        return self.form.manager

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards of this studio's tasks, newest first."""
        return self._cards

    def get_ready(self) -> None:
        """Make what no user sees, and neither the form nor a click should wait for.

        The studio does so by itself ``READY_AFTER`` seconds after it is made; a second call does nothing.
        """
        if self.comm is None:
            return
        if self.manager is not None:
            self.manager.monitor.warm_up()
        shortcut_class()  # imported before the lock is taken
        with update(self):  # of two threads only one closes it
            if self.comm is not None and not self._is_ready:
                self._is_ready = True
                self._shortcut = make_shortcut(self._press)
                self.children = [*self.children, style_sheet(self), *self._shortcut]

    def _stop(self) -> None:
        if self._draft is not None:
            self._draft.close()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (self.form, self._actions, self._column, *self._shortcut)

    def _ipython_display_(self, **_: Any) -> None:
        self.lasting.show(self._kept())

    def _connected(self, manager: Owner) -> None:
        self.form.manager = manager
        if self._cell is not None and self._draft is None:
            self._draft = DraftKeeper(self.form, Presets(manager.library.folder), self._cell)
        service = (
            tr(_SANDBOX) if manager.is_sandbox else tr(_CONNECTED).format(service=manager.client.base_url)
        )
        folder = tr(_VIDEOS).format(folder=manager.library.folder.name)
        told = markup.tag(
            "div",
            markup.span(service, "qingbo-status" if manager.is_sandbox else None),
            markup.span(folder, "qingbo-dim"),
            class_="qingbo-head",
        )
        with update(self, self._head):
            self._head.value = markup.style() + self.lasting.style + told
            self.children = [self._head, self.form, self._actions, self._column]
        refresher.later(READY_AFTER, weakly(self, "get_ready"))
        if self._panel is not None:
            self._panel.close()
            self._panel = None
        self._look()

    def _look(self) -> None:
        """Whether Generate can be pressed, and if not, why."""
        just_clicked = self._clicks.is_answered_just_now
        obstacle = self.form.obstacle
        with update(self.generate_button, self._reason):
            self.generate_button.disabled = bool(obstacle) or just_clicked
            if self._told:
                self._reason.value = markup.note(self._told, "alarm")
            else:
                self._reason.value = markup.note(obstacle) if obstacle else ""

    def _press(self, label: str, text: str) -> None:
        """Ctrl+Enter in one of the prompts: what stands in it on the page is what counts."""
        request, manager = self.form.with_text(label, text), self.manager
        found = [problem for problem in self.form.problems if problem.field not in _TEXTS]
        if request is not None and manager is not None and not (request.problems() or found):
            self._submit(request, lambda: manager.submit(request))

    def _generate(self) -> None:
        """A click on Generate."""
        self._submit(self.form.request, self.form.submit)

    def _submit(self, request: VideoRequest, submit: Callable[[], Task]) -> None:
        """A click. Money is real: the second of a double click submits nothing."""
        if self.comm is None:
            return  # closed: what nobody sees must not spend money
        with self._clicks.once(request) as is_new:
            if not is_new:
                return
            self._told = ""
            with update(self.generate_button):
                self.generate_button.disabled = True
            try:
                task = submit()
            except Exception as error:
                self._clicks.forget()
                self._told = message_of(error)
            else:
                self._add(TaskCard(task), request)
        refresher.later(clicks.DOUBLE_CLICK, self._look)
        self._look()

    def _add(self, card: TaskCard, request: VideoRequest) -> None:
        self._cards = (card, *self._cards)
        card.on_redraw(self, "_keep")
        self._offer_again(card, request)
        with update(self._column):
            self._column.children = self._cards
        self.lasting.contain(card.lasting)
        self._keep()

    def _offer_again(self, card: TaskCard, request: VideoRequest) -> None:
        submit = card.task.manager.submit
        card.offer(tr(_SAME), tr(_SAME_HELP), lambda: self._submit(request, lambda: submit(request)))
        card.offer(tr(_CHANGED), tr(_CHANGED_HELP), lambda: self.form.load(request))

    # ------------------------------------------------------------------ what outlives the kernel

    def _keep(self) -> None:
        """A turn of a task: write it down at the next opportunity. No click waits for that."""
        with update():
            # With all at their end somebody may save the notebook now, and end the kernel: no waiting then.
            all_ended = all(task_text.is_over(card.task) for card in self._cards)
            if not self.lasting.is_kept or (self._is_to_keep and not all_ended):
                return
            self._is_to_keep = True
            rest = 0.0 if all_ended else self._kept_at + KEEP_EVERY - time.monotonic()
        refresher.later(max(rest, 0.0), weakly(self, "_keep_now"))

    def _keep_now(self) -> None:
        with update():  # of two threads the later one tells the later state
            if self._is_to_keep:
                self._kept_at, self._is_to_keep = time.monotonic(), False
                self.lasting.keep(self._kept())

    def _kept(self) -> Markup:
        """Every task of the studio as HTML, hidden as long as the studio is alive."""
        parts = [card.left for card in self._cards]
        return markup.tag("div", *parts, class_=self.lasting.twin_class) if parts else Markup()
