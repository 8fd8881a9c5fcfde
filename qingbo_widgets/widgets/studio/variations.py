"""The number of variations: the same request, submitted several times, each with a result of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, tr
from ..base.build import create_shared
from ..base.clicks import message_of

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["MOST", "PartlySubmitted", "generate_label", "submit_all", "variations_control"]

#: The largest number of variations of one click, because each is charged.
MOST = 4

_LABEL = N_("Variations")
_HELP = N_("How many times this request is submitted. Each time makes another video and is charged.")
_GENERATE, _GENERATE_SEVERAL = N_("Generate"), N_("Generate {count}")
_PARTLY = N_("{done} of {count} submitted. {reason}")


class PartlySubmitted(QingboError):
    """Only the first of several submissions succeeded.

    Args:
        tasks: the submitted tasks.
        count: the number requested.
        reason: the error of the first that failed.
    """

    def __init__(self, tasks: tuple[Task, ...], count: int, reason: Exception) -> None:
        self.tasks = tasks
        text = tr(_PARTLY).format(done=len(tasks), count=count, reason=message_of(reason))
        super().__init__(text)


def variations_control() -> Any:
    """Return the control for the number of variations."""
    return create_shared(
        ipywidgets.Dropdown,
        tr(_HELP),
        "qingbo-variations",
        options=[(f"× {number}", number) for number in range(1, MOST + 1)],
        description=tr(_LABEL),
        layout={"width": "auto", "margin": "2px 0 2px 4px"},
    )


def generate_label(count: int) -> str:
    """Return the label of the button that submits this number of variations."""
    return tr(_GENERATE) if count == 1 else tr(_GENERATE_SEVERAL).format(count=count)


def submit_all(submit: Callable[[], Task], count: int) -> tuple[Task, ...]:
    """Submit a number of times; return the tasks.

    Raises:
        PartlySubmitted: a submission failed after others; its ``tasks`` are submitted, and may be charged.
        Exception: that of the first submission.
    """
    tasks: tuple[Task, ...] = ()
    for _ in range(count):
        try:
            tasks += (submit(),)
        except Exception as error:
            if not tasks:
                raise
            raise PartlySubmitted(tasks, count, error) from error
    return tasks
