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
_FIELD = r"(?:parameter|field|argument|property)s?"
_CHINESE_FIELD = r"(?:参数|字段|属性)"
#: Sentences about a field that a server does not know, not about a value or a member of it. ``{name}`` may be
#: absent: the error names the field too. A Chinese sentence needs no blanks.
_UNKNOWN_FIELD = (
    rf"\b(?:unknown|unrecogni[sz]ed|unexpected|no such) (?:request |body |input )?{_FIELD}"
    r"(?:\s*[:=]?\s*{name}|(?=\s*(?:$|[.,;!])))",
    rf"\b{_FIELD}:? {{name}} (?:is|was) (?:unknown|unexpected|unrecogni[sz]ed|not (?:known|recogni[sz]ed))\b",
    rf"(?:未知|无法识别|不识别)的?(?:请求)?{_CHINESE_FIELD}(?:\s*[:：]?\s*{{name}}|(?=\s*(?:$|[。，；！.,;!])))",
    rf"{_CHINESE_FIELD}\s*[:：]?\s*{{name}}\s*(?:未知|无法识别|不存在)",
)
#: A name by itself: not one of a member, and not followed by a value.
_BARE = r"[\"'`“「]?(?<![\w.\[]){}(?![\w\[=]|\.\w)[\"'`”」]?(?!\s*(?:=|:\s*\S|values?\b|的|中))"
#: Words for a model that exists, but not for this key, or not at the moment.
_ACCESS = re.compile(
    r"\b(?:keys?|tokens?|account|group|channels?)\b|permi|allow|access|authori[sz]|may not"
    r"|密钥|令牌|权限|分组|渠道",
    re.IGNORECASE,
)
#: Words for models that a server had.
_FORMER = re.compile(
    r"replac|retire|remov|renam|deprecat|discontinu|no longer|\bgone\b|\bold\b"
    r"|下线|停用|替换|废弃|不再|更名|移除",
    re.IGNORECASE,
)
#: The members of a response that only contract 2026-11 documents, and that only 2026-04 documents.
_OF_NOVEMBER = ("pre_consumed_cost", "billing_status")
_OF_APRIL = "start_time"
#: The code for parameters that a model does not take, which only contract 2026-11 documents.
_VIOLATION = "capability_violation"


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
        is_november = _refuses_extra(error, body) or _lacks_model(error, body, spoken, CONTRACTS[_NOVEMBER])
        return _NOVEMBER if is_november else None
    if spoken.name == _NOVEMBER and contract_at(base_url) != _NOVEMBER:
        april = CONTRACTS[_APRIL]
        is_april = _refuses_field(error, body, april) or _lists_models(error, body, april, spoken)
        return _APRIL if is_april else None
    return None


def defaults_changed(body: Mapping[str, Any], spoken: Contract, seen: Contract) -> Mapping[str, Any]:
    """Return the values to set in another contract for parameters that a body leaves to the defaults."""
    request = VideoRequest.from_body(body, spoken.name)
    return switched(request, request.model, seen.models, spoken.models).defaults_changed


def contract_in_answer(spoken: Contract, base_url: str, body: Mapping[str, Any]) -> str | None:
    """Return the contract that a server seems to speak, by the form of a response about a task.

    A response with signs of both contracts is from a gateway between them, and proves neither.
    """
    is_november = isinstance(body.get("progress"), str) or any(name in body for name in _OF_NOVEMBER)
    is_april = _OF_APRIL in body
    if spoken.name == _APRIL:
        return _NOVEMBER if is_november and not is_april else None
    if spoken.name == _NOVEMBER and contract_at(base_url) != _NOVEMBER:
        return _APRIL if is_april and not is_november else None
    return None


def _refuses_extra(error: ServiceError, body: Mapping[str, Any]) -> bool:
    """Return whether the server refuses the object that contains April's parameters, not a member of it."""
    extra = body.get("extra")
    members = "|".join(map(re.escape, extra)) if isinstance(extra, Mapping) else ""
    names_member = rf"\bextra\s*(?:\.\w|\[|/)|(?<!\w)(?:{members or '(?!)'})(?!\w)"
    is_refused = error.status == 400 and error.code == _VIOLATION and error.param == "extra"
    return is_refused and not re.search(names_member, error.message, re.ASCII)


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
    if error.status != 400 or error.code == _VIOLATION or error.param not in body or error.param in known:
        return False
    name = _BARE.format(re.escape(str(error.param)))
    return any(re.search(form.format(name=name), error.message, re.IGNORECASE) for form in _UNKNOWN_FIELD)


def _lists_models(error: ServiceError, body: Mapping[str, Any], other: Contract, spoken: Contract) -> bool:
    """Return whether the server, for a model that only the spoken contract has, lists those of the other."""
    ours, theirs = set(spoken.models), set(other.models)
    listed = set(re.findall(r"[a-zA-Z0-9][\w.-]*\w", error.message, re.ASCII)) - {body.get("model")}
    is_about_model = error.status == 400 and error.param == "model" and body.get("model") not in theirs
    is_their_list = theirs - ours <= listed and not listed & (ours - theirs)
    return is_about_model and is_their_list and not _FORMER.search(error.message)
