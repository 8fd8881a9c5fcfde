"""The error of a refused submission, which names the reason if the server speaks another contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..exceptions import BadRequest, ServiceError
from ..i18n import N_, sentences, tr
from .contract.contracts import CONTRACTS, Contract
from .contract.error_codes import explanation, has_advice
from .contract.mismatch import contract_in_error, defaults_changed
from .contract.problem import assigned
from .contract.urls import without_query
from .credentials import find_base_url
from .http.wrong_address import address_advice, names_the_path

__all__ = ["CORRECT", "refusal_of"]

CORRECT = N_("Nothing was charged. Correct the request and submit it again.")
_NOT_CHARGED = N_("Nothing was charged.")
_OTHER_CONTRACT = N_(
    "This server seems to use contract {seen} of the service, but this connection uses {spoken}. If so, "
    "continue with {call}."
)
_OTHER_DEFAULTS = N_("Contract {seen} has other defaults: add {changes} for the video that you meant.")


def refusal_of(
    error: ServiceError,
    payload: Mapping[str, Any],
    spoken: Contract,
    base_url: str,
    connect_arguments: Sequence[str],
) -> BadRequest:
    """Return the error of a refused submission; its ``contract`` is the one that the server seems to speak.

    Args:
        error: the service's refusal of the parameters, or of the model.
        payload: the body of the submission.
        spoken: the contract of the connection.
        base_url: the server's address.
        connect_arguments: further arguments of the ``connect()`` that the error advises, as code.
    """
    seen, advice = contract_in_error(spoken, base_url, payload, error), ""
    if seen is not None:
        advice = _contract_advice(payload, spoken, seen, base_url, connect_arguments)
        hints = [advice, tr(_NOT_CHARGED)]
    elif names_the_path(error.status, error.message):
        hints = [address_advice(f"{base_url}/tasks"), tr(_NOT_CHARGED)]
    else:
        hints = [*explanation(error.code), tr(_NOT_CHARGED if has_advice(error.code) else CORRECT)]
    refusal = BadRequest(
        error.message, status=error.status, code=error.code, param=error.param, hint=sentences(*hints)
    )
    refusal.retry_after, refusal.contract, refusal.advice = error.retry_after, seen, advice
    return refusal


def _contract_advice(
    payload: Mapping[str, Any],
    spoken: Contract,
    seen: str,
    base_url: str,
    connect_arguments: Sequence[str],
) -> str:
    """Return the call that connects under the server's contract, and what the request then needs."""
    address = without_query(base_url)
    is_usual = find_base_url(CONTRACTS[seen]).rstrip("/") == address
    arguments = [f'contract="{seen}"', *([] if is_usual else [f'base_url="{address}"']), *connect_arguments]
    call = f"qw.connect({', '.join(arguments)})"
    advice = tr(_OTHER_CONTRACT).format(seen=seen, spoken=spoken.name, call=call)
    if changes := defaults_changed(payload, spoken, CONTRACTS[seen]):
        advice = sentences(advice, tr(_OTHER_DEFAULTS).format(seen=seen, changes=assigned(changes)))
    return advice
