"""The tree of errors: its shape, its words, and that it travels."""

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
    WaitTimeout,
)
from qingbo_widgets.service.contract.problem import Problem


def limited() -> RateLimited:
    """A 429 that says how long."""
    error = RateLimited("slow down", status=429, hint="Try again in 7 s.")
    error.retry_after = 7.0
    return error


ERRORS: list[QingboError] = [
    InvalidRequest([Problem("prompt", "prompt: empty"), Problem("mode", "mode: odd")]),
    ConnectionFailed("a", sent=True),
    SubmissionUnconfirmed("a", idempotency_key="k"),
    DownloadFailed("a", url="https://a.example/v", transient=True),
    LinkExpired("a", url="https://a.example/v"),
    TaskFailed("a", task_id="t", code="task_failed"),
    TaskCancelled("a", task_id="t"),
    WaitTimeout("a", task_id="t"),
    BadRequest("a", status=400, code="c", param="p", hint="Do that."),
    limited(),
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn, under its parent, and nothing else is."""
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
def test_an_error_travels_whole(error: QingboError, travel: Callable[[QingboError], QingboError]) -> None:
    """To another process and back: its class, its text and what it carries."""
    again = travel(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_standard_classes_catch_what_they_should() -> None:
    """A bad request is a bad value; a wait that ran out is a timeout."""
    assert issubclass(InvalidRequest, ValueError)
    assert issubclass(WaitTimeout, TimeoutError)


def test_an_invalid_request_says_all_of_it() -> None:
    """One line a problem."""
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
def test_what_a_service_error_says(error: ServiceError, text: str) -> None:
    """The status, the service's code and words, the field it complains of, and what to do next."""
    assert str(error) == text
