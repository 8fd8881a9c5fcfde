"""The column of a studio with its form: what is above and below it, and its folding in a narrow studio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...library.requests import request_of
from ...service.contract.lengths import seconds_text
from ...service.contract.text import shorten
from ..base.build import button, create_shared, focus, set_class
from ..base.composite import CompositeMixin
from ..base.ipw import VBox
from ..base.settings import prompt_of
from ..base.sync import lazy, update
from ..form.request_form import RequestForm
from .examples import Examples
from .recent import Recent, recent_videos
from .replacement import Replacement

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...library.entry import Entry
    from ...library.library import Library
    from ...service.contract.request import VideoRequest
    from ...tasks.task import Owner, Task

__all__ = ["FormColumn", "NextInStudio"]

_FOLDED = "qingbo-folded"
_EDIT = N_("Edit")
_EDIT_HELP = N_("Opens the form.")


class NextInStudio:
    """The form of a studio, as the place where a video of one of its cards is continued: a ``NextForm``.

    Args:
        column: the column of the studio with its form.
        generate_button: the button of the studio.
        prompt: the prompt of the video.
    """

    def __init__(self, column: FormColumn, generate_button: Any, prompt: str) -> None:
        self._column, self.generate_button, self._prompt = column, generate_button, prompt

    @property
    def form(self) -> RequestForm:
        """The form of the studio."""
        return self._column.form

    def find_manager(self) -> Owner:
        """Return the manager of the studio.

        Raises:
            MissingApiKey: there is none, and none can be made from the environment.
        """
        return self.form.find_manager()

    def offer(self, request: VideoRequest) -> None:
        """Fill in the form of the studio."""
        self._column.continue_with(request, self._prompt)


class FormColumn(CompositeMixin, VBox):
    """The form of a studio with its buttons.

    In a narrow studio the form can be folded to one line, so that the newest video is in view. The style
    sheet shows the line only there, and never instead of a form that has the focus.

    Args:
        form: the form.
        actions: the row with Generate.

    Attributes:
        form: the form.
        examples: the prompts shown while the studio is empty; ``None`` before they are needed.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(self, form: RequestForm, actions: ipywidgets.Widget) -> None:
        self.form, self._is_folded, self._has_source = form, False, False
        self.examples: Examples | None = None
        # Boxes of their own: what follows a part that comes or goes is drawn again, with what is typed.
        self._above = create_shared(ipywidgets.VBox, layout={"overflow": "visible"})
        self._below = create_shared(ipywidgets.VBox, layout={"overflow": "visible"})
        super().__init__([self._above, form, actions, self._below], layout={"overflow": "visible"})
        self.add_class("qingbo-studio-form")
        form.observe(self._on_edit)

    @lazy
    def replacement(self) -> Any:
        """The line that says what was put into the form."""
        self._has_source = True
        return self._put_above(Replacement(self.form))

    @lazy
    def summary_button(self) -> Any:
        """The one line of a folded form, which unfolds it."""
        return self._put_above(button("", tr(_EDIT_HELP), self._edit, "qingbo-summary", icon="pencil"))

    @lazy
    def recent(self) -> Any:
        """The strip of the library's latest videos."""
        return Recent(self._use)

    # ------------------------------------------------------------------ folding

    def fold(self) -> None:
        """Show the form as one line where the studio is narrow."""
        with update(self, self.summary_button):
            self.summary_button.description = " · ".join([*self._summary(), tr(_EDIT)])
            self._is_folded = True
            self.add_class(_FOLDED)

    def unfold(self) -> None:
        """Show the form in full again."""
        if self._is_folded:
            self._is_folded = False
            with update(self):
                self.remove_class(_FOLDED)

    def _edit(self) -> None:
        self.unfold()
        focus(self.form.controls["prompt"])

    def _on_edit(self, change: Any) -> None:
        if self._is_folded and change["name"] in self.form.field_names:
            self.unfold()

    def _summary(self) -> list[str]:
        form, request = self.form, self.form.request
        prompt, seconds = shorten(prompt_of(request), 44), form.shown_value("duration")
        length = seconds_text(seconds) if isinstance(seconds, int) and seconds else ""
        return [part for part in (prompt, form.model, length) if part]

    # ------------------------------------------------------------------ filling in

    def load(self, source: Task | VideoRequest, prompt: str) -> None:
        """Fill in the form, and say that it is from the task with this prompt."""
        self.unfold()
        self.replacement.fill(prompt, lambda: self.form.load(source))

    def dismiss_source(self) -> None:
        """Hide the line that says what was put into the form, because that was submitted."""
        if self._has_source:
            self.replacement.dismiss()

    def continue_with(self, request: VideoRequest, prompt: str) -> None:
        """Fill in the form with a request that begins with a frame."""
        self.load(request, prompt)
        # The next prompt is for the user to write: that there is none is no mistake yet.
        self.form.has_typed = False
        self.form.refresh()

    def _use(self, entry: Entry) -> None:
        if (request := request_of(entry)) is not None:
            self.load(request, entry.prompt)

    # ------------------------------------------------------------------ what a studio shows besides

    def show_recent(self, library: Library, shown: Collection[str]) -> None:
        """Show the library's latest videos, without the tasks that have these keys."""
        entries = recent_videos(library, shown)
        with update(self._below):
            if self.comm is None:  # closed meanwhile: nothing would close what is created now
                return
            if entries and not self._below.children:
                self._below.children = (self.recent,)
            if self._below.children:
                self.recent.show(library, entries)

    def show_examples(self, place: ipywidgets.Widget, *, is_empty: bool) -> None:
        """Show the examples in this box as long as the studio is empty, and its prompt too.

        Args:
            place: the box.
            is_empty: whether the studio has had no cards.
        """
        with update(place):  # so that only one of two threads creates them
            if self.comm is None or (self.examples is None and not is_empty):
                return
            if self.examples is None:
                self.examples = Examples(self._choose)
                place.children = (*place.children, self.examples)
                self.form.observe(lambda _: self._hide_examples(), "prompt")
            self._hide_examples()
            with update(self.examples.layout):
                self.examples.layout.display = None if is_empty else "none"

    def _choose(self, prompt: str) -> None:
        self.form.prompt = prompt
        focus(self.form.controls["prompt"])

    def _hide_examples(self) -> None:
        if self.examples is not None:
            has_text = bool(self.form.prompt.strip())
            set_class(self.examples, "qingbo-has-text", has_text)

    def _put_above(self, part: Any) -> Any:
        with update(self._above):
            self._above.children = (*self._above.children, part)
        return part
