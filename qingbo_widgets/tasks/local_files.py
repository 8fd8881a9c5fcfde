"""Advice on problems about files of this machine, where the service takes URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..i18n import N_, sentences, tr
from ..service.contract.limits import url_refusal
from ..service.contract.models import declared
from ..service.contract.problem import Problem
from ..service.contract.request import VideoRequest
from ..service.contract.urls import is_local_file, is_network_path, is_web_url
from ..system.notebook import notebook_folder

__all__ = ["explained"]

_PUBLISH = N_(
    "In the sandbox, manager.sandbox.publish(path) returns a URL of the file, with the manager that "
    "connect() returned. The service needs a public http(s) URL."
)
_NO_FILE = N_("There is no such file here.")
_BESIDE = N_("The notebook's folder, which is not the working directory, has this file: {path}.")
_BLANKS = N_("Without the blanks at its ends, it is a file on this machine.")


def explained(problems: Sequence[Problem], request: VideoRequest, *, is_sandbox: bool) -> tuple[Problem, ...]:
    """Return the problems; those about a path in place of a URL say what to do with the file.

    Args:
        problems: the problems of the request.
        request: the request.
        is_sandbox: whether the request would go to a sandbox that this process can reach.
    """
    advice = _Advice(request, is_sandbox=is_sandbox)
    return tuple(
        replace(problem, message=sentences(problem.message, advice.on(problem))) for problem in problems
    )


class _Advice:
    """The advice on each text of a request that is refused as a URL.

    A problem may be about another field than the one in which the text stands, and a request may have very
    many of both: each text is looked up once, by the words of its refusal.
    """

    def __init__(self, request: VideoRequest, *, is_sandbox: bool) -> None:
        texts = (text for text in dict.fromkeys(_texts(request.as_dict())) if not is_web_url(text))
        self._texts = {url_refusal(text): text for text in texts}
        self._lengths = {len(refusal) for refusal in self._texts}
        self._is_sandbox = is_sandbox

    def on(self, problem: Problem) -> str:
        """Return the advice on the text that the problem refuses as a URL; mostly empty."""
        if problem.field not in declared() or not declared()[problem.field].media:
            return ""  # not the place of a picture or video: a callback goes to a server
        _, _, sentence = problem.message.partition(": ")
        found = (self._texts.get(sentence[:length]) for length in self._lengths)
        text = next((text for text in found if text is not None), None)
        return "" if text is None else self._of_path(text)

    def _of_path(self, text: str) -> str:
        publish = tr(_PUBLISH) if self._is_sandbox else ""
        if is_local_file(text):
            return publish
        if is_local_file(text.strip()):
            return sentences(tr(_BLANKS), publish)
        beside = _beside_notebook(text)
        if beside is not None:
            return sentences(tr(_BESIDE).format(path=beside), publish)
        return tr(_NO_FILE) if _may_be_path(text) else ""


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _beside_notebook(text: str) -> Path | None:
    """Return the file that a relative path is beside the notebook; ``None`` if it is none."""
    folder = notebook_folder()
    if not text.strip() or is_network_path(text) or _is_working_folder(folder):
        return None
    path = folder / text.strip()
    return path if is_local_file(str(path)) else None


def _is_working_folder(folder: Path) -> bool:
    try:
        return folder == Path.cwd()
    except OSError:  # it was removed
        return False


def _may_be_path(text: str) -> bool:
    """Return whether a text that is not a URL may be meant as a path on this machine, of no file there."""
    if not text.strip() or "://" in text or text.lower().startswith(("data:", "file:")):
        return False
    return not is_network_path(text) and not _exists(text)


def _exists(path: str) -> bool:
    """Return whether a path exists that is not a file, such as a folder."""
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
