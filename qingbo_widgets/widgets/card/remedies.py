"""The message and the error of a task as HTML, with what the user can do about it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from ...exceptions import AuthenticationFailed, LinkExpired, SubmissionUnconfirmed, TaskNotFound
from ...i18n import N_, sentences, tr
from ...service.contract.snapshot import TaskStatus
from ...service.contract.terms import KEYS_PAGE, terms_of
from ...service.http.answers import KEY_REFUSED
from ...tasks.following.failure import CANCELLED, NOTHING_CHARGED, PROMISED_CANCELLED, REFUNDED
from ...tasks.price_note import price_note
from ...tasks.resubmission import unconfirmed_advice
from ..base import html as markup
from ..base.html import Markup
from .states import is_over, is_unfollowed
from .times import long_time

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["advice", "error_text"]

_SAVE_AGAIN = N_("The task is finished and paid for; saving it again costs nothing.")
_LINK_EXPIRED = N_("The service keeps finished videos for {time} only.")
_CHANGE_KEY = N_("The key is wrong, not active, or has used up its quota. Change it with “Change key” below.")
_KEY_REFUSED = N_("Connect with a valid key to follow the task again.")
_NOT_FOUND = N_(
    "The service accepted this task and may have charged it: see its dashboard. Following it again "
    "costs nothing."
)
_BY_ID = N_(
    "If the dashboard shows it, enter its id and press Check. Submit again sends the same idempotency key."
)
_BY_KNOWN_ID = N_("If it exists, Check follows it at no cost. Submit again sends the same idempotency key.")


def advice(task: Task, problem: str = "", news: str = "", now: datetime | None = None) -> Markup:
    """Return the message, a price that differs, and the error of the task, with the remedy, as HTML.

    Args:
        task: the task.
        problem: the error of a button, shown as well.
        news: what a button has done, shown as well.
        now: the current time, UTC, for a live view, which counts the seconds until the next try and has
            buttons.
    """
    lines = []
    if task.message:
        lines.append(markup.note(_message(task, now), "dim" if is_over(task) else "hint"))
    if (difference := price_note(task)) is not None:
        lines.append(markup.note(difference.text, "hint" if difference.is_higher else "dim"))
    if task.error is not None and (kind := _kind_of_error(task)):
        lines.append(markup.note(str(task.error) if now is None else error_text(task), kind))
        if more := _remedy(task):
            lines.append(markup.note(more))
    if problem:
        lines.append(markup.note(problem, "alarm"))
    if news:
        lines.append(markup.note(news, "hint"))
    return markup.join(lines)


def _message(task: Task, now: datetime | None) -> str:
    """Return the message; a time span in it would stand still, so it is counted, or left out."""
    if (wait := task.next_try) is None:
        return task.message
    if now is None:
        return wait.reason
    seconds = math.ceil((wait.at - now).total_seconds())
    again = tr("Next try in {seconds} s.").format(seconds=seconds) if seconds > 0 else tr("Trying now …")
    return sentences(wait.reason, again)


def error_text(task: Task) -> str:
    """Return the error; its advice names the buttons of the card, not methods and other widgets."""
    error, text = task.error, str(task.error)
    if isinstance(error, AuthenticationFailed):
        return text.replace(tr(KEY_REFUSED).format(page=KEYS_PAGE), tr(_CHANGE_KEY))
    if not isinstance(error, SubmissionUnconfirmed):
        return text
    what = text.removesuffix(unconfirmed_advice(task.key, error.task_id))
    return text if what == text else sentences(what.rstrip(), tr(_BY_KNOWN_ID if error.task_id else _BY_ID))


def _kind_of_error(task: Task) -> str:
    """Return how the error is shown: a cancelled task has one only if its cost is not known to be nothing.

    Returns:
        A kind of ``markup.note``; empty if the status says it all.
    """
    if task.status != TaskStatus.cancelled:
        return "alarm"
    text, cancelled = str(task.error), tr(CANCELLED)
    if text in (cancelled, tr("Cancelled before anything was sent.")):
        return ""
    if text in (sentences(cancelled, tr(REFUNDED)), sentences(cancelled, tr(NOTHING_CHARGED))):
        return "dim"
    return "hint" if text == sentences(cancelled, tr(PROMISED_CANCELLED)) else "alarm"


def _remedy(task: Task) -> str:
    """Return the advice that depends on the task, which its error cannot contain."""
    error = task.error
    if task.status == TaskStatus.completed:
        if not isinstance(error, LinkExpired):
            return tr(_SAVE_AGAIN)
        return tr(_LINK_EXPIRED).format(time=long_time(terms_of(task.contract).link_lifetime))
    if isinstance(error, AuthenticationFailed) and task.task_id:
        return tr(_KEY_REFUSED)
    return tr(_NOT_FOUND) if isinstance(error, TaskNotFound) and is_unfollowed(task) else ""
