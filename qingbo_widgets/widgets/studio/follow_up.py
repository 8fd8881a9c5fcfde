"""Videos made from a video: the form of the next one, and the cards of the tasks submitted there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets

from ...i18n import N_, tr
from ...media.frames import continuation, save_frame
from ...service.contract.media import Medium
from ...service.contract.models import declared
from ...system.host import check_cards
from ...system.notebook import shown_path
from ...tasks.connection import current
from ..base import html as markup
from ..base.build import button, newest_first
from ..base.clicks import Clicks, message_of
from ..base.composite import Composite
from ..base.output import CellOutput
from ..base.slow import Slow
from ..base.sync import close_whole, update
from ..card.task_card import TaskCard
from ..form.image_fields import foreign_files
from ..form.request_form import RequestForm
from .price_line import PriceLine

if TYPE_CHECKING:
    from ...service.contract.request import VideoRequest
    from ...tasks.task import Owner, Task

__all__ = ["FollowUp", "NextForm", "continuing"]

_ELSEWHERE = N_(
    "Generate submits to {service}, and the video is saved in {folder}. The video above was made by "
    "{origin} and is in {origin_folder}."
)
_GENERATE = N_("Generate")
_TAKING, _LAST = N_("Taking the frame…"), N_("Taking the last frame…")
_COSTS = N_("{service} charges for it; the sandbox did not.")


def continuing(
    place: NextForm, video: Path, seconds: float | None, request: VideoRequest, contract: str | None = None
) -> Slow[VideoRequest]:
    """Return the work for a click that opens the form of a video that begins with a frame of another one.

    Args:
        place: where the form opens.
        video: the other video.
        seconds: the time of the frame; ``None`` for the last one.
        request: the request of the other video.
        contract: the date of its contract; by default that of the next one.

    Raises:
        MissingApiKey: there is no connection yet.
    """
    manager = place.find_manager()

    def work() -> VideoRequest:
        picture = _saved(manager, save_frame(video, seconds))
        return continuation(request, picture, "", manager.client.contract.name, contract)

    return Slow(tr(_LAST if seconds is None else _TAKING), work, place.offer)


def _saved(manager: Owner, picture: Path) -> str:
    """Return the path of a copy in the library, which a form shows and sends without another click."""
    file = manager.inputs.saver.file_of(Medium(declared()["image_urls"], str(picture)))
    return str(picture if file is None else file.path)


class NextForm(Protocol):
    """The place where the form of the next video opens: below a video without a studio, or in the studio."""

    @property
    def form(self) -> RequestForm | None:
        """The form; ``None`` until it is opened."""
        ...

    @property
    def generate_button(self) -> Any:
        """The button that submits the form."""
        ...

    def find_manager(self) -> Owner:
        """Return the manager that will submit the form.

        Raises:
            MissingApiKey: there is none.
        """
        ...

    def offer(self, request: VideoRequest) -> object:
        """Fill in the form with a request."""
        ...


class FollowUp(Composite):
    """A form that opens on demand, with the cards of the tasks submitted from it below.

    Args:
        manager: the manager that submits; by default the default manager at the time of the click.

    Attributes:
        origin: the service and the folder of the video above; ``None`` if unknown. A submission to another
            one first shows that in the form.
        form: the form; ``None`` until it is opened.
        generate_button: submits the form.
    """

    def __init__(self, manager: Owner | None = None) -> None:
        self._manager = manager
        self.origin: tuple[str, Path] | None = None
        self.form: RequestForm | None = None
        self._cards: tuple[TaskCard, ...] = ()
        self._clicks = Clicks()
        self._error, self._destination_note = ipywidgets.HTML(), ipywidgets.HTML()
        self.generate_button = button(
            tr(_GENERATE), tr("Submits the form."), self._generate, button_style="primary"
        )
        self._price_line: PriceLine | None = None
        self._actions = ipywidgets.HBox(
            [self.generate_button], layout={"flex_flow": "row wrap", "align_items": "center"}
        )
        # Boxes of their own, because what follows a part that comes or goes is drawn again, with its videos.
        self._form_box, self._column = ipywidgets.VBox(layout={"overflow": "visible"}), newest_first()
        super().__init__([self._error, self._form_box, self._column], layout={"overflow": "visible"})
        self._cell_output = CellOutput(self)

    @property
    def cards(self) -> tuple[TaskCard, ...]:
        """The cards of the submitted tasks, newest first."""
        return self._cards

    def find_manager(self) -> Owner:
        """Return the manager that will submit the form.

        Raises:
            MissingApiKey: there is none, and none can be made from the environment.
        """
        return current() if self._manager is None else self._manager

    def offer(self, request: VideoRequest) -> None:
        """Open the form with a request; if there is no manager, show the error instead."""
        self.show_error("")
        try:
            manager = self.find_manager()
            if self.form is None or self.form.manager is not manager:
                self._drop_form()
                self.form = RequestForm(manager)
                self._price_line = PriceLine(self.form)
                self._actions.children = (self.generate_button, self._price_line.html)
            elif not request.prompts:  # the user may have begun to write the next one
                request = request.replace(prompt=self.form.prompt)
            self.form.load(request)
        except Exception as error:
            self.show_error(message_of(error))
            return
        with update(self._destination_note):
            self._destination_note.value = self._destination(manager)
        self._arrange()

    def again(self, request: VideoRequest) -> None:
        """Submit a request again.

        Open the form instead if the destination differs from ``origin``, or a file of this machine would be
        sent that was not chosen here.
        """
        try:
            manager = self.find_manager()
        except Exception as error:
            self.show_error(message_of(error))
            return
        if self._destination(manager) or foreign_files(manager, request):
            self.offer(request)
        else:
            self._submit(request, lambda: manager.submit(request))

    def show_error(self, message: str) -> None:
        """Show an error, or clear it with an empty text. A print in a callback would be lost."""
        with update(self._error):
            self._error.value = markup.note(message, "alarm") if message else ""

    def clear(self) -> None:
        """Close the form and the cards. Their tasks continue."""
        self.show_error("")
        self._drop()
        self._arrange()

    def _stop(self) -> None:
        self._drop()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self._error, self._destination_note, self._actions)

    def _generate(self) -> None:
        if self.form is not None:
            with update():  # a stroke that is being saved on another thread was painted before the click
                request = self.form.request
            self._submit(request, self.form.submit)

    def _submit(self, request: VideoRequest, submit: Callable[[], Task]) -> None:
        """Submit after a click. The second of a double click is ignored, because it would cost money."""
        if self.comm is None:
            return  # a closed widget must not spend money
        with self._clicks.once(request) as is_new:
            if is_new:
                self._submit_now(submit)

    def _submit_now(self, submit: Callable[[], Task]) -> None:
        try:
            check_cards()
            card = TaskCard(submit())
        except Exception as error:
            self._clicks.forget()
            self.show_error(message_of(error))
            return
        self.show_error("")
        if self._price_line is not None:
            self._price_line.refresh()
        self._cell_output.add_part(card.cell_output)
        card.cell_output.mark_displayed()  # the user clicked, so the widget is displayed somewhere
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
        if self._price_line is not None:
            self._actions.children = (self.generate_button,)
            close_whole(self._price_line.html)
            self._price_line = None

    def _arrange(self) -> None:
        form = () if self.form is None else (self.form, self._destination_note, self._actions)
        with update(self._form_box, self._column):
            self._form_box.children, self._column.children = form, self._cards[::-1]

    def _destination(self, manager: Owner) -> str:
        """Return the destination of a submission as HTML; empty if the video above came from there too."""
        folder = manager.library.folder
        if self.origin is None or self.origin == (manager.service, folder):
            return ""
        origin, origin_folder = self.origin
        service = _name(manager.service)
        text = tr(_ELSEWHERE).format(
            service=service,
            folder=shown_path(folder),
            origin=_name(origin),
            origin_folder=shown_path(origin_folder),
        )
        if origin == "sandbox" and not manager.is_sandbox:
            text = f"{text} {tr(_COSTS).format(service=service)}"
        return markup.note(text, "hint")


def _name(service: str) -> str:
    """Return the display name of a service in the journal."""
    names = {"sandbox": tr("the sandbox"), "unknown": tr("an unknown service")}
    return names.get(service, service)
