"""Signs that a server speaks another contract than the connection. Only signs that are certain count.

The hosts of the service once spoke contract 2026-04 and may speak 2026-11 by now, and a base URL may lead to
any gateway, so the contract that was chosen can be the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...exceptions import ServiceError
from .contracts import CONTRACTS, Contract
from .request import VideoRequest
from .switching import switched
from .terms import contract_at

__all__ = ["contract_in_answer", "contract_in_error", "defaults_changed"]

_APRIL, _NOVEMBER = "2026-04", "2026-11"
#: Words for a member that a server does not know.
_UNKNOWN = re.compile(r"\bunknown\b|unrecogni[sz]ed|\bunexpected\b|no such|未知|无法识别", re.IGNORECASE)
#: Words for a model that exists, but not for this key.
_ACCESS = re.compile(
    r"\b(?:keys?|tokens?|account|group)\b|permi|allow|access|authori[sz]|may not|密钥|令牌|权限|分组",
    re.IGNORECASE,
)
#: The members of a response that only contract 2026-11 documents.
_OF_NOVEMBER = ("pre_consumed_cost", "billing_status")


def contract_in_error(
    spoken: Contract, base_url: str, body: Mapping[str, Any], error: ServiceError
) -> str | None:
    """Return the contract that a server seems to speak, by its refusal of a submission.

    Args:
        spoken: the contract of the connection.
        base_url: the server's address.
        body: the body of the submission, which has no problems in the spoken contract.
        error: the refusal.
    """
    if spoken.name == _APRIL:
        is_november = _refuses_extra(error) or _lacks_model(error, body, spoken, CONTRACTS[_NOVEMBER])
        return _NOVEMBER if is_november else None
    if spoken.name == _NOVEMBER and contract_at(base_url) != _NOVEMBER:
        april = CONTRACTS[_APRIL]
        is_april = _refuses_field(error, body, april) or _names_model(error, april, spoken)
        return _APRIL if is_april else None
    return None


def defaults_changed(body: Mapping[str, Any], spoken: Contract, seen: Contract) -> Mapping[str, Any]:
    """Return the values to set in another contract for parameters that a body leaves to the defaults."""
    request = VideoRequest.from_body(body, spoken.name)
    return switched(request, request.model, seen.models, spoken.models).defaults_changed


def contract_in_answer(spoken: Contract, base_url: str, body: Mapping[str, Any]) -> str | None:
    """Return the contract that a server seems to speak, by the form of a response about a task."""
    if spoken.name == _APRIL:
        is_november = isinstance(body.get("progress"), str) or any(name in body for name in _OF_NOVEMBER)
        return _NOVEMBER if is_november else None
    if spoken.name == _NOVEMBER and contract_at(base_url) != _NOVEMBER:
        return _APRIL if "start_time" in body else None
    return None


def _refuses_extra(error: ServiceError) -> bool:
    """Return whether the server refuses the object that contains April's parameters of a model."""
    return error.status == 400 and error.code == "capability_violation" and error.param == "extra"


def _lacks_model(error: ServiceError, body: Mapping[str, Any], spoken: Contract, other: Contract) -> bool:
    """Return whether the server does not have a model that the other contract does not have either.

    The service answers the same for a model that exists, if the key is restricted to others.
    """
    is_unknown = error.status == 404 and error.code == "model_not_found" and not _ACCESS.search(error.message)
    return is_unknown and body.get("model") in spoken.models and body.get("model") not in other.models


def _refuses_field(error: ServiceError, body: Mapping[str, Any], other: Contract) -> bool:
    """Return whether the server does not know a member of the body that the other contract does not have.

    A refusal alone is no sign: a server of the spoken contract refuses some of its values, too.
    """
    known = {parameter.place.partition(".")[0] for parameter in other.models.parameters.values()}
    is_unknown = error.status == 400 and bool(_UNKNOWN.search(error.message))
    return is_unknown and error.param in body and error.param not in known


def _names_model(error: ServiceError, other: Contract, spoken: Contract) -> bool:
    """Return whether the server lists models that only the other contract has."""
    words = set(re.findall(r"[\w.-]+", error.message))
    return (
        error.status == 400
        and error.param == "model"
        and bool(words & (set(other.models) - set(spoken.models)))
    )
