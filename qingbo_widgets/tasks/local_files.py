"""Advice on problems about files of this machine, where the service takes URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..i18n import N_, sentences, tr
from ..service.contract.problem import Problem, shown
from ..service.contract.request import VideoRequest
from ..service.contract.urls import is_network_path, public_url_refusal

__all__ = ["explained"]

_PUBLISH = N_(
    "For the sandbox, manager.sandbox.publish(path) returns a URL of the file, where manager is what "
    "connect() returned; the service itself needs a public http(s) URL."
)
_NO_FILE = N_("There is no such file on this machine either.")


def explained(problems: Sequence[Problem], request: VideoRequest, *, is_sandbox: bool) -> tuple[Problem, ...]:
    """Return the problems; those about a path in place of a URL say what to do with the file.

    Args:
        problems: the problems of the request.
        request: the request.
        is_sandbox: whether the request would go to a sandbox that this process can reach.
    """
    texts = tuple(_texts(request.as_dict()))
    return tuple(
        replace(problem, message=sentences(problem.message, _advice(problem, texts, is_sandbox=is_sandbox)))
        for problem in problems
    )


def _advice(problem: Problem, texts: Sequence[str], *, is_sandbox: bool) -> str:
    """Return the advice on the text of a request that the problem refuses as a URL; mostly empty.

    The problem may be about another field than the one in which the text stands: ``last_frame`` is the second
    of ``image_urls`` in contract 2026-11.
    """
    for text in texts:
        if shown(text) in problem.message and f"{shown(text)} {public_url_refusal(text)}" in problem.message:
            if _is_file(text):
                return tr(_PUBLISH) if is_sandbox else ""
            return tr(_NO_FILE) if _may_be_path(text) else ""
    return ""


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _may_be_path(text: str) -> bool:
    """Return whether a text that is not a URL may be meant as a path on this machine."""
    return bool(text.strip()) and "://" not in text and not text.lower().startswith(("data:", "file:"))


def _is_file(text: str) -> bool:
    if is_network_path(text):
        return False
    try:
        return Path(text).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False
