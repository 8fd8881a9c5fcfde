"""The request of a task as HTML: the prompt, the settings, and the id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...i18n import tr
from ...service.contract.callbacks import callback_note
from ...service.contract.quota import quota_text
from ...service.contract.terms import terms_of
from ...service.contract.text import shorten
from ..base import html as markup
from ..base.html import Markup
from ..base.settings import cost_text, prompt_of, settings_of
from ..form.labels import fact
from .states import is_over

if TYPE_CHECKING:
    from ...tasks.task import Task

__all__ = ["about"]


def about(task: Task, *, folds_id: bool = True) -> Markup:
    """Return the request as HTML: the prompt and the settings.

    Args:
        task: the task.
        folds_id: whether the id is folded; not in details that are folded themselves.
    """
    details = _details(task) if folds_id else _id(task, "qingbo-dim qingbo-details")
    request = task.request
    if request is None:
        return markup.tag("div", markup.chips(task.model, _price(task))) + details
    shots = tr("{count} shots").format(count=len(request.prompts)) if request.is_multi_shot else ""
    sent = settings_of(request, task.contract)
    main = (task.model, sent.length, sent.resolution, shots, sent.shape)
    facts = markup.chips(*main, *map(fact, sent.others), _price(task))
    callback = callback_note(request)
    return (
        markup.user_text(shorten(prompt_of(request), 240), class_="qingbo-prompt")
        + markup.tag("div", facts)
        + (markup.note(callback) if callback else Markup())
        + details
    )


def _details(task: Task) -> Markup:
    """Return what only a support case needs, folded: the id, which can be selected and copied."""
    if not task.task_id:
        return Markup() if is_over(task) else markup.tag("div", Markup(), class_="qingbo-details-space")
    summary = markup.tag("summary", markup.text(tr("Details")))
    return markup.tag("details", summary, _id(task), class_="qingbo-dim qingbo-details")


def _id(task: Task, class_: str | None = None) -> Markup:
    if not task.task_id:
        return Markup()
    code = markup.tag("code", markup.escape(task.task_id))
    line = markup.text(tr("Task id:")) + " " + code
    return markup.tag("div", line, class_=class_)


def _price(task: Task) -> str:
    """Return what the task cost, or the reserved amount while it is running; empty if that is unknown."""
    if not terms_of(task.contract).quota_per_dollar:
        return ""
    if task.cost is not None:
        return cost_text(task.cost, task.contract, task.manager.service)
    if task.frozen is None or task.status.is_ended:
        return ""
    if task.manager.is_sandbox:
        return cost_text(task.frozen, task.contract, task.manager.service)
    return tr("{amount} reserved").format(amount=quota_text(task.frozen, task.contract))
