"""The cards of a studio's tasks, with the buttons that act on its form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ...service.contract.request import VideoRequest
from ...tasks.saved_video import video_of
from ..base.build import PAYS
from ..base.settings import prompt_of
from ..base.slow import Slow
from ..card.task_card import TaskCard
from ..form.image_fields import foreign_files
from .follow_up import continuing
from .form_column import FormColumn, NextInStudio

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["studio_card"]

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


def studio_card(
    task: Task,
    column: FormColumn,
    generate_button: Any,
    submit: Callable[[VideoRequest, Callable[[], Task]], object],
) -> TaskCard:
    """Return the card of a task, whose buttons fill in the studio's form or submit the request again.

    Args:
        task: the task.
        column: the column with the studio's form.
        generate_button: the studio's Generate.
        submit: submits a request by a function, after a click.
    """
    card = TaskCard(task, offers_contract=False)
    request, prompt = task.request, prompt_of(task.request)

    def again() -> None:
        if request is not None and not foreign_files(task.manager, request):
            submit(request, lambda: task.manager.submit(request))
        else:  # a file of this machine that was not chosen here
            column.load(task, prompt)

    card.buttons.next_form = NextInStudio(column, generate_button, prompt)
    if request is not None:
        card.offer(tr(_SAME), tr(_SAME_HELP), again, PAYS)
        card.offer(tr(_CHANGED), tr(_CHANGED_HELP), lambda: column.load(task, prompt))
        card.offer(tr(_CONTINUE), tr(_CONTINUE_HELP), lambda: _continue(card), needs_video=True)
    return card


def _continue(card: TaskCard) -> Slow[VideoRequest]:
    """Fill in the form for a video that begins with the last frame of a card's."""
    task, place = card.task, card.buttons.next_form
    request = task.request or VideoRequest(task.model)
    return continuing(place, video_of(task), None, request, task.contract)
