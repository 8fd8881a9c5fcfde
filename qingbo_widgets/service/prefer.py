"""The header ``Prefer``, with which a submission asks the service to hold its response back for a while."""

from __future__ import annotations

from ..exceptions import InvalidRequest
from ..i18n import tr
from .contract.contracts import Contract
from .contract.problem import Problem, refused

__all__ = ["seconds_to_wait"]


def seconds_to_wait(wait: float | None, contract: Contract) -> int:
    """Return the seconds to request in ``Prefer: wait``; 0 for none.

    Raises:
        InvalidRequest: the contract does not document the header, or not with this value.
    """
    if wait is None:
        return 0
    longest = contract.terms.longest_wait
    if not longest:
        text = tr("wait: contract {contract} does not document it; leave it out, and poll status(task_id).")
        raise InvalidRequest((Problem("wait", text.format(contract=contract.name)),))
    is_whole = isinstance(wait, int | float) and not isinstance(wait, bool) and wait == wait // 1
    if not is_whole or not 1 <= wait <= longest:
        limit = tr("is not a whole number of seconds from 1 to {longest}").format(longest=longest)
        raise InvalidRequest((refused("wait", wait, limit, min(30, longest)),))
    return int(wait)
