"""The reason in a response: its message and code, in the forms of the service, of gateways and of frameworks.

The service documents ``{"error": {"message", "code"}}``. Others put the reason into ``detail``, ``errors``,
``msg``, ``fail_reason`` or an envelope ``{"code": 1102, "message": …}``, also with the status 200.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["described_failure", "reason_of", "refuses", "reported_failure"]

#: Members that are there only if something failed.
_ERRORS = ("error", "errors", "failure")
_FAILURES = (
    "fail_reason",
    "failure_reason",
    "failed_reason",
    "error_message",
    "error_msg",
    "err_msg",
    "errmsg",
    "ErrMsg",
)
#: Members that also describe a success.
_MESSAGES = ("detail", "message", "msg", "task_status_msg", "status_msg", "reason", "description", "title")
_CODES = ("code", "error_code", "err_code", "errcode", "errorKey", "failure_code", "failureCode")
_BASE = "base_resp"
_SUCCESSES = frozenset(
    {
        *("", "0", "200", "20000", "false", "none", "null", "ok", "succeed", "succeeded", "success", "true"),
        *("成功", "操作成功", "请求成功"),
    }
)
_MOST_ITEMS = 3
_DEEPEST = 4


def reason_of(*layers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of the error in a response: ``message``, ``code``, and others that it has.

    Args:
        *layers: the response and the objects wrapped in it.

    Returns:
        An empty mapping if there is no error.
    """
    return reported_failure(*layers) or described_failure(*layers) or {}


def refuses(*layers: Mapping[str, Any]) -> bool:
    """Return whether a response reports an error. A message alone may be about a success."""
    if reported_failure(*layers) is not None:
        return True
    return any("code" in (_envelope(layer) or {}) or layer.get("success") is False for layer in layers)


def reported_failure(*layers: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the fields of an error from members that only a failure has; ``None`` without a failure."""
    return next((fields for layer in layers if (fields := _failure_in(layer)) is not None), None)


def described_failure(*layers: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the fields of an error from members that also describe a success."""
    return next((fields for layer in layers if (fields := _envelope(layer)) is not None), None)


def _failure_in(layer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for name in _ERRORS:
        value = layer.get(name)
        if isinstance(value, Mapping) and not _is_no_error(value):
            return {**value, "message": _text(value), **_code(value)}
        if isinstance(value, str | list) and (text := _text(value)) and not _is_success(text):
            return {"message": text, **_code(layer)}
    for name in _FAILURES:
        if (text := _text(layer.get(name))) and not _is_success(text):
            return {"message": text, **_code(layer)}
    return None


def _is_success(value: object) -> bool:
    """Return whether a code or a message of an envelope reports no error."""
    return not isinstance(value, Mapping | list) and str(value).strip().lower() in _SUCCESSES


def _envelope(layer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the error of an envelope, whose message and code also report successes."""
    base = layer.get(_BASE)
    if isinstance(base, Mapping) and not _is_success(code := base.get("status_code", "")):
        return {"message": _text(base), "code": code}
    codes = _code(layer)
    is_refused = bool(codes) or layer.get("success") is False
    texts = [text for name in _MESSAGES if (text := _text(layer.get(name))) and not _is_success(text)]
    has_success_code = any(_is_success(layer[name]) for name in _CODES if layer.get(name) is not None)
    if not texts and not is_refused:
        return None
    if has_success_code and layer.get("success") is not False:
        return None
    return {"message": texts[0] if texts else "", **codes}


def _is_no_error(error: Mapping[str, Any]) -> bool:
    return all(_is_success(error.get(name, "")) for name in ("code", "message")) and not any(
        _text(value) for name, value in error.items() if name not in ("code", "message")
    )


def _code(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the code of an error as a field; nothing if there is none, or it reports a success."""
    for name in _CODES:
        value = layer.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and not _is_success(value):
            return {"code": value}
    return {}


def _text(value: object, depth: int = 0) -> str:
    """Return the sentence in a text, an object or a list of them; empty if there is none."""
    if isinstance(value, str):
        return value.strip()
    if depth >= _DEEPEST:
        return ""
    if isinstance(value, list):
        texts = [text for item in value[:_MOST_ITEMS] if (text := _text(item, depth + 1))]
        return "; ".join(texts)
    if isinstance(value, Mapping):
        names = (*_MESSAGES, *_FAILURES, "error", "errors")
        text = next((text for name in names if (text := _text(value.get(name), depth + 1))), "")
        return f"{place}: {text}" if text and (place := _place(value.get("loc"))) else text
    return ""


def _place(value: object) -> str:
    """Return the field that an error of a framework is about, ``duration`` for ``["body", "duration"]``."""
    parts: Iterable[object] = value if isinstance(value, list) else ()
    return ".".join(str(part) for part in parts if isinstance(part, str | int) and part != "body")
