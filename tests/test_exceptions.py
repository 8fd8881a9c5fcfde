"""The exception hierarchy: its shape, its texts, and pickling."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable

import pytest

from qingbo_widgets import exceptions
from qingbo_widgets.exceptions import (
    BadRequest,
    ConnectionFailed,
    DownloadFailed,
    InvalidRequest,
    LinkExpired,
    QingboError,
    RateLimited,
    ServerFault,
    ServiceError,
    SubmissionUnconfirmed,
    TaskCancelled,
    TaskFailed,
    UploadFailed,
    WaitTimeout,
)
from qingbo_widgets.service.contract.problem import Problem


def limited() -> RateLimited:
    """Return a 429 with a delay."""
    error = RateLimited("slow down", status=429, hint="Try again in 7 s.")
    error.retry_after = 7.0
    return error


ERRORS: list[QingboError] = [
    InvalidRequest([Problem("prompt", "prompt: empty"), Problem("mode", "mode: odd")]),
    ConnectionFailed("a", sent=True),
    SubmissionUnconfirmed("a", idempotency_key="k"),
    UploadFailed("a", transient=True),
    DownloadFailed("a", url="https://a.example/v", transient=True),
    LinkExpired("a", url="https://a.example/v"),
    TaskFailed("a", task_id="t", code="task_failed"),
    TaskCancelled("a", task_id="t"),
    WaitTimeout("a", task_id="t"),
    BadRequest("a", status=400, code="c", param="p", hint="Do that."),
    limited(),
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """The tree in the docstring shows every class under its parent, and nothing else."""
    classes = {
        name: thing
        for name, thing in vars(exceptions).items()
        if isinstance(thing, type) and issubclass(thing, QingboError)
    }
    assert sorted(classes) == exceptions.__all__
    drawn: list[tuple[int, str]] = []
    for line in exceptions.__doc__.splitlines():
        match = re.match(r" {4}([│ ]*(?:[├└]── )?)([A-Z]\w+)", line)
        if match:
            drawn.append((len(match[1]) // 4, match[2]))
    assert sorted(name for _, name in drawn) == sorted(classes)
    parents: list[str] = []
    for depth, name in drawn:
        parents[depth:] = [name]
        if depth:
            assert classes[name].__bases__[0].__name__ == parents[depth - 1]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("travel", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_an_error_survives_pickling_and_copying(
    error: QingboError, travel: Callable[[QingboError], QingboError]
) -> None:
    """An error keeps its class, text and attributes when pickled or copied."""
    restored = travel(error)
    assert type(restored) is type(error)
    assert str(restored) == str(error)
    assert vars(restored) == vars(error)


def test_standard_classes_catch_what_they_should() -> None:
    """``InvalidRequest`` is a ``ValueError``, ``WaitTimeout`` a ``TimeoutError``."""
    assert issubclass(InvalidRequest, ValueError)
    assert issubclass(WaitTimeout, TimeoutError)


def test_an_invalid_request_lists_all_problems() -> None:
    """The text of an ``InvalidRequest`` has one line per problem."""
    error = ERRORS[0]
    assert isinstance(error, InvalidRequest)
    assert str(error) == "prompt: empty\nmode: odd"
    assert [problem.field for problem in error.problems] == ["prompt", "mode"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceError("odd", status=418), "418: odd"),
        (
            BadRequest("bad", status=400, code="c", param="extra", hint="Do that."),
            "400 (c): bad [extra]. Do that.",
        ),
        (BadRequest("extra is bad", status=400, param="extra"), "400: extra is bad"),
        (ServerFault("Down!", status=503, hint="Ask again."), "503: Down! Ask again."),
        (ServerFault("down", status=503, hint="Ask again."), "503: down. Ask again."),
    ],
)
def test_the_text_of_a_service_error(error: ServiceError, text: str) -> None:
    """The text has the status, the service's code and message, the field, and the next step."""
    assert str(error) == text
