"""The suggestion in the message of a problem removes the problem, for every constraint of every model.

The constraints are read from the descriptions, so that those of a new model are tested too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from qingbo_widgets.service.contract.examples import example_of_member
from qingbo_widgets.service.contract.kinds import KINDS
from qingbo_widgets.service.contract.models import contracts, models_of
from qingbo_widgets.service.contract.problem import Problem
from qingbo_widgets.service.contract.request import CameraControl, DynamicMask, Shot, VideoRequest
from qingbo_widgets.service.contract.schema import Constraint, Count, Model, Parameter
from qingbo_widgets.service.contract.values import is_same

IMAGE, LAST, VIDEO = (f"https://a.example/{name}" for name in ("1.png", "2.png", "1.mp4"))
#: Valid values of parameters whose examples in the descriptions are not complete values.
EXAMPLES: Mapping[str, Any] = {
    "camera_control": CameraControl("forward_up"),
    "dynamic_masks": [DynamicMask(IMAGE, [(0, 0), (10, 10)])],
    "shots": [Shot("A koi", 3), Shot("A heron", 4)],
    "multi_prompt": [{"prompt": "A koi", "duration": 5}],
}
ALL = [(contract, name) for contract in contracts() for name in models_of(contract)]
CASES = [
    pytest.param(contract, name, constraint, id=f"{contract} {name} {number}")
    for contract, name in ALL
    for number, constraint in enumerate(models_of(contract)[name].constraints)
    if constraint.forbid or constraint.limit or constraint.require
    # A rule of a family may be about a parameter that only some of its models take.
    if constraint.when.keys() <= models_of(contract)[name].parameters.keys()
]
SUGGESTION = re.compile(r"; try (?P<value>.+?)\.(?: Models that take it: .*)?$")
EXAMPLE = re.compile(r"\(for example (?P<value>\w+=.+)\), or leave \w+ out\.$")
INSTEAD = re.compile(r"; use (?P<value>\w+=.+) instead\.$")
LEFT_OUT = re.compile(r"; leave (?P<field>\w+) out(?:, or use contract [-\d]+)?\.$")


def example(parameter: Parameter, count: int = 1) -> Any:
    """Return a valid value of a parameter; of a list of URLs or objects, with this many parts."""
    if parameter.name in EXAMPLES:
        return EXAMPLES[parameter.name]
    if parameter.type == "objects":
        return [{key: example_of_member(member) for key, member in parameter.members.items()}] * count
    if parameter.type == "urls":
        return [example_of_member(parameter)] * count
    return example_of_member(parameter)


def valid(model: Model) -> dict[str, Any]:
    """Return the fields of a valid request, with everything that the model requires."""
    needed = {
        name: example(parameter)
        for name, parameter in model.parameters.items()
        if parameter.required and parameter.default is None
    }
    return {"model": model.name, "prompt": "A koi", **needed}


def meeting(model: Model, constraint: Constraint) -> dict[str, Any]:
    """Return fields for which a constraint holds."""
    fields: dict[str, Any] = {}
    for name, allowed in constraint.when.items():
        parameter = model.parameters[name]
        if isinstance(allowed, Count):
            fields[name] = example(parameter, allowed.fewest)
        else:
            fields[name] = example(parameter) if allowed == ("*",) else allowed[0]
    return fields


def breaking(model: Model, constraint: Constraint) -> Iterator[dict[str, Any]]:
    """Yield fields that a constraint refuses while it holds."""
    for name in constraint.forbid:
        if name in model.parameters:
            yield {name: example(model.parameters[name])}
    if constraint.require:
        yield {}
    for name, changes in constraint.limit.items():
        parameter = model.parameters.get(name)
        if parameter is None:
            continue
        if changes.get("required"):
            yield {name: None}
        if most := changes.get("most"):
            yield {name: example(parameter, most + 1)}
        if choices := changes.get("choices"):
            every = parameter.choices or (True, False)
            yield from ({name: one} for one in every if not any(is_same(one, choice) for choice in choices))


def suggested(problem: Problem, request: VideoRequest) -> VideoRequest | None:
    """Return the request with what a problem suggests; ``None`` if it suggests no value."""
    field, message = problem.field, problem.message
    if match := LEFT_OUT.search(message):
        return request.replace(**{match["field"]: None})  # type: ignore[arg-type]  # any field
    if match := INSTEAD.search(message):
        return request.replace(**{field: None, **eval(f"dict({match['value']})")})
    if not (match := EXAMPLE.search(message) or SUGGESTION.search(message)):
        return None
    if re.match(r"\w+=", match["value"]):
        return request.replace(**eval(f"dict({match['value']})"))
    value = eval(match["value"])
    given = request.given.get(field)
    if isinstance(given, tuple) and isinstance(value, int):
        value = (given * value)[:value]
    if f"{field}, " in message.partition(": ")[0]:
        return None  # about a part of the value
    return request.replace(**{field: value})


def assert_helpful(request: VideoRequest, contract: str) -> int:
    """Check every problem that suggests a value, and return how many there were."""
    checked = 0
    for problem in request.problems(contract):
        if (better := suggested(problem, request)) is not None:
            checked += 1
            remaining = [(one.field, one.message) for one in better.problems(contract)]
            assert (problem.field, problem.message) not in remaining, (request, problem.message)
            assert not (is_about(problem, remaining)), (request, problem.message, remaining)
    return checked


def is_about(problem: Problem, remaining: list[tuple[str, str]]) -> bool:
    """Return whether the limit that a problem names is still a problem of the same field."""
    limit = problem.message.partition("; ")[0].split(" ", 2)[-1]
    return any(field == problem.field and limit in message for field, message in remaining)


@pytest.mark.parametrize(("contract", "name", "constraint"), CASES)
def test_a_suggestion_removes_its_problem(contract: str, name: str, constraint: Constraint) -> None:
    """A request that breaks one constraint becomes valid with what its problem suggests."""
    model = models_of(contract)[name]
    for fields in breaking(model, constraint):
        request = VideoRequest(**{**valid(model), **meeting(model, constraint), **fields})
        assert request.problems(contract), request
        assert assert_helpful(request, contract), request.problems(contract)


@pytest.mark.parametrize(("contract", "name"), ALL)
def test_suggestions_for_two_conflicts_help_too(contract: str, name: str) -> None:
    """Each of two conflicts has a suggestion that removes it, though the other one may remain."""
    model = models_of(contract)[name]
    conflicts = [
        {**meeting(model, one), **fields}
        for one in model.constraints
        if one.when.keys() <= model.parameters.keys()
        for fields in breaking(model, one)
    ]
    for first, second in itertools.combinations(conflicts, 2):
        assert_helpful(VideoRequest(**{**valid(model), **first, **second}), contract)


@pytest.mark.parametrize(("contract", "name"), ALL)
def test_a_suggestion_for_a_wrong_value_is_valid(contract: str, name: str) -> None:
    """The suggestion for one wrong value is a valid value."""
    model = models_of(contract)[name]
    for field, parameter in model.parameters.items():
        for value in (7, "x", "", -1, True, None, [], {}, *(parameter.choices or ())):
            assert_helpful(
                VideoRequest(**{**valid(model), field: KINDS[parameter.type].read(value)}), contract
            )


@pytest.mark.parametrize("field", VideoRequest.field_names())
@pytest.mark.parametrize(("contract", "name"), ALL)
def test_advice_for_a_field_of_another_model_helps(contract: str, name: str, field: str) -> None:
    """A field that the model, or the contract, does not have has advice that removes the problem."""
    other = next(models_of(one) for one in contracts() if field in models_of(one).parameters)
    model = next(one for one in (*other.values(), other.other) if field in one.parameters)
    if field == "model":
        return
    request = VideoRequest(**{**valid(models_of(contract)[name]), field: example(model.parameters[field])})
    assert_helpful(request, contract)
