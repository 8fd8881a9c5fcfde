"""What follows from a video: the form of the next one, and the cards of what was submitted there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...i18n import N_, tr
from ...tasks.connection import current
from ..base import html as markup
from ..base.build import button
from ..base.clicks import Clicks, message_of
from ..base.composite import Composite
from ..base.output import Lasting
from ..base.player import relative_path
from ..base.sync import update
from ..card.task_card import TaskCard
from ..form.request_form import RequestForm

if TYPE_CHECKING:
    from ...service.contract.request import VideoRequest
    from ...tasks.task import Owner, Task

__all__ = ["Sequel"]

_ELSEWHERE = N_(
    "Generate submits to {service}, and the video is saved in {folder}. The video above was made by "
    "{origin} and is in {origin_folder}."
)
_COSTS = N_("{service} charges for it, as the sandbox did not.")


class Sequel(Composite):
    """A form that opens when it is needed, and below it the tasks that were submitted here.

    Args:
        manager: submits; the default one, at the time, when left out.

    Attributes:
        origin: the service and the folder of the video above, where they are known. What would go somewhere
            else is not submitted before that was read.
        form: the form, once it is open.
        generate_button: submits the form.
    """

    def __init__(self, manager: Owner | None = None) -> None:
        self._manager = manager
        self.origin: tuple[str, Path] | None = None
        self.form: RequestForm | None = None
        self._cards: tuple[TaskCard, ...] = ()
        self._clicks = Clicks()
        self._told, self._where = ipywidgets.HTML(), ipywidgets.HTML()
        self.generate_button = button(
            tr("Generate"), tr("Submits the form."), self._generate, button_style="primary"
        )
        super().__init__([self._told], layout={"overflow": "visible"})
        self._lasting = Lasting(self)

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards of the tasks that were submitted here, newest first."""
        return self._cards

    def offer(self, request: Callable[[Owner], VideoRequest]) -> bool:
        """Open the form with a request. What keeps it from being made is told, and nothing opens.

        Args:
            request: makes it, given the manager that will submit it.

        Returns:
            Whether the form is open.
        """
        try:
            manager = self._submitter()
            asked = request(manager)
            if self.form is None or self.form.manager is not manager:
                self._drop_form()
                self.form = RequestForm(manager)
            self.form.load(asked)
        except Exception as error:
            self.tell(message_of(error))
            return False
        with update(self._where):
            self._where.value = self._destination(manager)
        self.tell("")
        self._arrange()
        return True

    def again(self, request: VideoRequest) -> None:
        """Submit a request once more; where it would go elsewhere, open the form first, which says so."""
        try:
            manager = self._submitter()
        except Exception as error:
            self.tell(message_of(error))
            return
        if self._destination(manager):
            self.offer(lambda _: request)
        else:
            self._submit(request, lambda: manager.submit(request))

    def tell(self, message: str) -> None:
        """Show what went wrong; an empty text takes it back. A print in a callback would be lost."""
        with update(self._told):
            self._told.value = markup.note(message, "alarm") if message else ""

    def clear(self) -> None:
        """Close the form and the cards. Their tasks go on."""
        self.tell("")
        self._drop()
        self._arrange()

    def _stop(self) -> None:
        self._drop()

    def _parts_elsewhere(self) -> tuple[Any, ...]:
        return (self._told, self._where, self.generate_button)

    def _generate(self) -> None:
        if self.form is not None:
            self._submit(self.form.request, self.form.submit)

    def _submit(self, request: VideoRequest, submit: Callable[[], Task]) -> None:
        """A click. Money is real: the second of a double click submits nothing."""
        if self.comm is None:
            return  # nor does a click on what nobody sees any more
        with self._clicks.once(request) as is_new:
            if is_new:
                self._show(submit)

    def _show(self, submit: Callable[[], Task]) -> None:
        try:
            card = TaskCard(submit())
        except Exception as error:
            self._clicks.forget()
            self.tell(message_of(error))
            return
        self.tell("")
        self._lasting.contain(card.lasting)
        card.lasting.displayed()  # a click was, wherever it stands
        self._cards = (card, *self._cards)
        self._arrange()

    def _drop(self) -> None:
        self._drop_form()
        for card in self._cards:
            card.close()
        self._cards = ()

    def _drop_form(self) -> None:
        if self.form is not None:
            self.form.close()
            self.form = None

    def _arrange(self) -> None:
        form = () if self.form is None else (self.form, self._where, self.generate_button)
        with update(self):
            self.children = (self._told, *form, *self._cards)

    def _submitter(self) -> Owner:
        return current() if self._manager is None else self._manager

    def _destination(self, manager: Owner) -> str:
        """Where a submission goes, as HTML; nothing where the video above came from there too."""
        folder = manager.library.folder
        if self.origin is None or self.origin == (manager.service, folder):
            return ""
        origin, origin_folder = self.origin
        service = _name(manager.service)
        told = tr(_ELSEWHERE).format(
            service=service,
            folder=_shown(folder),
            origin=_name(origin),
            origin_folder=_shown(origin_folder),
        )
        if origin == "sandbox" and not manager.is_sandbox:
            told = f"{told} {tr(_COSTS).format(service=service)}"
        return markup.note(told, "hint")


def _name(service: str) -> str:
    """What a person calls a service of the journal."""
    names = {"sandbox": tr("the sandbox"), "unknown": tr("an unknown service")}
    return names.get(service, service)


def _shown(folder: Path) -> str:
    """A folder as seen from the notebook."""
    return relative_path(folder) or str(folder)
