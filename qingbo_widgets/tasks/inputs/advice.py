"""Advice on problems about paths that are no files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...i18n import N_, tr
from ...service.contract.limits import url_refusal
from ...service.contract.models import declared
from ...service.contract.problem import Problem, shown
from ...service.contract.request import VideoRequest
from ...service.contract.urls import is_network_path, is_web_url
from .finding import is_folder

__all__ = ["explained"]

_NO_FILE = N_(
    "{where}: there is no such file here: {name}. Pass the path of a file, or a public http(s) URL."
)
_FOLDER = N_("{where}: {name} is a folder. Pass the path of a file in it, or a public http(s) URL.")


def explained(problems: Sequence[Problem], request: VideoRequest) -> tuple[Problem, ...]:
    """Return the problems; those about the path of no file say so."""
    advice = _Advice(request)
    return tuple(replace(problem, message=advice.on(problem) or problem.message) for problem in problems)


class _Advice:
    """The advice on each text of a request that is refused as a URL.

    A problem may be about another field than the one in which the text stands, and a request may have very
    many of both: each text is looked up once, by the words of its refusal.
    """

    def __init__(self, request: VideoRequest) -> None:
        texts = (text for text in dict.fromkeys(_texts(request.as_dict())) if not is_web_url(text))
        self._texts = {url_refusal(text): text for text in texts}
        self._lengths = {len(refusal) for refusal in self._texts}

    def on(self, problem: Problem) -> str:
        """Return the message about a path that the problem refuses as a URL; mostly empty."""
        if problem.field not in declared() or not declared()[problem.field].media:
            return ""  # not the place of a picture or video: a callback goes to a server
        where, _, sentence = problem.message.partition(": ")
        found = (self._texts.get(sentence[:length]) for length in self._lengths)
        text = next((text for text in found if text is not None), None)
        if text is None or not _may_be_path(text):
            return ""
        return tr(_FOLDER if is_folder(text) else _NO_FILE).format(where=where, name=shown(text))


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _may_be_path(text: str) -> bool:
    """Return whether a text that is not a URL may be meant as a path on this machine."""
    is_other = "://" in text or text.lower().startswith(("data:", "file:"))
    return bool(text.strip()) and not is_other and not is_network_path(text)
