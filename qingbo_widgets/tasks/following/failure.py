"""The errors of tasks that ended without a video: the reason, and the charge or refund."""

from __future__ import annotations

from ...exceptions import TaskCancelled, TaskFailed
from ...i18n import N_, sentences, tr
from ...service.contract.amounts import amounts_in, is_about_charges
from ...service.contract.error_codes import explanation
from ...service.contract.problem import listed
from ...service.contract.quota import PENDING, quota_text
from ...service.contract.quota import REFUNDED as REFUNDED_STATE
from ...service.contract.snapshot import TaskSnapshot, TaskStatus
from ...service.contract.terms import terms_of

__all__ = ["CANCELLED", "NOTHING_CHARGED", "PROMISED_CANCELLED", "REFUNDED", "cancellation_of", "failure_of"]


_EXPIRED = "expired"
_PROMISED_FAILED = N_(
    "The response does not say whether it was refunded. The service's documentation promises that; its "
    "dashboard and qw.balance() show it."
)
CANCELLED = N_("The task was cancelled.")
REFUNDED = N_("The service reports that it was refunded.")
NOTHING_CHARGED = N_("The service charged nothing for it.")
PROMISED_CANCELLED = N_(
    "The response does not say whether it was refunded. The service's documentation promises that; its "
    "dashboard shows it."
)
_NOT_SAID = N_("The response does not say whether it was charged: see the service's dashboard.")


def failure_of(snapshot: TaskSnapshot, contract: str) -> TaskFailed:
    """Return the error of a failed task.

    Args:
        snapshot: the answer that reports the failure.
        contract: the date of the task's contract.
    """
    code = snapshot.error.code if snapshot.error else None
    message = sentences(
        _what_happened(snapshot), *explanation(code), _links(snapshot), _refund(snapshot, contract)
    )
    return TaskFailed(message, task_id=snapshot.task_id, code=code)


def cancellation_of(snapshot: TaskSnapshot, contract: str) -> TaskCancelled:
    """Return the error of a cancelled task, with what the answer says about its cost and refund.

    Args:
        snapshot: the answer to the cancel, or the status after it.
        contract: the date of the task's contract.
    """
    unsaid = tr(PROMISED_CANCELLED if _is_documented(snapshot) else _NOT_SAID)
    message = sentences(tr(CANCELLED), _links(snapshot), _known_refund(snapshot, contract) or unsaid)
    return TaskCancelled(message, task_id=snapshot.task_id)


def _what_happened(snapshot: TaskSnapshot) -> str:
    reason, code, task = snapshot.error, snapshot.error.code if snapshot.error else None, snapshot.task_id
    if snapshot.word.strip().lower() == _EXPIRED:
        text = tr("The task {task} has expired at the service, so its video can no longer be fetched.")
        return sentences(text.format(task=task), reason.message if reason else "")
    if reason and reason.message:
        text = reason.message
    elif _is_documented(snapshot):
        text = tr("the service gave no reason")
    else:
        text = tr('the service gave no reason (status "{word}")').format(word=snapshot.word)
    message = (
        tr("The task {task} failed ({code}): {reason}") if code else tr("The task {task} failed: {reason}")
    )
    return message.format(task=task, code=code, reason=text)


def _links(snapshot: TaskSnapshot) -> str:
    """Return a sentence about links that an answer has although the task ended without a video."""
    if not any(video.url for video in snapshot.videos):
        return ""
    return tr("But the response has a link to a video: see task.video_urls.")


def _is_documented(snapshot: TaskSnapshot) -> bool:
    """Return whether the service reports the end as it documents it, so that what it promises applies."""
    return snapshot.word.strip().lower() in ("", TaskStatus.failed, TaskStatus.cancelled)


def _refund(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about the cost of a failed task: as reported, or as the documentation promises."""
    return _known_refund(snapshot, contract) or tr(
        _PROMISED_FAILED if terms_of(contract).refunds_failed and _is_documented(snapshot) else _NOT_SAID
    )


def _known_refund(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about what the answer says of a charge or refund; empty if it says nothing."""
    if charge := _charge(snapshot, contract):
        return charge
    if _is_refunded(snapshot):
        return tr(REFUNDED)
    if amounts := amounts_in(snapshot.raw):
        text = tr("The response reports {amounts}. The service's dashboard shows what was charged.")
        return text.format(amounts=listed(amounts))
    if snapshot.cost is None and snapshot.error and is_about_charges(snapshot.error.message):
        return tr("The service's dashboard shows whether it was charged.")
    return tr(NOTHING_CHARGED) if snapshot.cost == 0 else ""


def _is_refunded(snapshot: TaskSnapshot) -> bool:
    return snapshot.refunded is True or snapshot.billing_status.lower() == REFUNDED_STATE


def _charge(snapshot: TaskSnapshot, contract: str) -> str:
    """Return a sentence about a cost that was reported and is not 0, or is not refunded yet; or empty."""
    billing, is_pending = snapshot.billing_status, snapshot.billing_status.lower() in PENDING
    if snapshot.cost:
        cost = quota_text(snapshot.cost, contract)
        if _is_refunded(snapshot):
            return tr("The service reports that it cost {cost}, which was refunded.").format(cost=cost)
        text = tr("The service still reports a cost of {cost}: see its dashboard, or ask the service.")
        return sentences(text.format(cost=cost), tr("The service's refund is pending.") * is_pending)
    if is_pending:
        return tr("The service's refund is pending.")
    if snapshot.cost == 0 or _is_refunded(snapshot):
        return ""
    if snapshot.refunded is False:
        return tr("The service reports that it was not refunded: see its dashboard, or ask the service.")
    if billing:
        text = tr('The service reports no cost (billing status "{billing}"): see its dashboard.')
        return text.format(billing=billing)
    return ""
