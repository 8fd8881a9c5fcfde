"""The rules for requests of contract 2026-11, from the service's documentation.

One pure function, ``violations``, reads the JSON body of a submit and returns every violation. The models
state their rules as JSON Schema (``models/README.md``); ``checks.py`` has the few that a schema cannot say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...gaps import Gaps
from ..contract import Violation, Violations
from .checks import CHECKS
from .json_schema import ValidationError
from .models import Model, models

EVENTS = ("completed", "failed", "cancelled")
"""The ends of a task that ``callback_events`` can name; one of them has another word in ``Gaps``."""


def violations(body: object, gaps: Gaps) -> list[Violation]:
    """Return every violation of contract 2026-11 by a submit body, the one to report first at the front.

    Args:
        body: the decoded JSON body, of any type.
        gaps: the answers where the documentation is silent.
    """
    return list(dict.fromkeys(_request(body, gaps)))


def model_of(body: Mapping[str, Any], gaps: Gaps) -> Model | None:
    """Return the model that a body names, or ``None`` if there is no such model."""
    name = body.get("model")
    if not isinstance(name, str):
        return None
    return models().get(name.lower() if gaps.model_case == "ignored" else name)


def event_of(status: str, gaps: Gaps) -> str:
    """Return the word of ``callback_events`` for an ended status."""
    return gaps.completed_event if status == "completed" else status


def _request(body: object, gaps: Gaps) -> Violations:
    if not isinstance(body, dict):
        yield Violation("", "the body must be a JSON object")
        return
    if body.get("extra"):
        yield _capability("extra", "extra must be empty: parameters stand at the root of the body")
    body = {name: value for name, value in body.items() if name != "extra"}
    if not isinstance(body.get("model"), str):
        yield Violation("model", "model must be the name of a model")
        return
    model = model_of(body, gaps)
    if model is None:
        yield Violation("model", f"no such model: {body['model'][:100]}", "model_not_found", 404)
        return
    broken = [violation for error in model.validator.iter_errors(body) for violation in _stated(error, model)]
    yield from sorted(broken, key=lambda violation: violation.code != "capability_violation")
    params = {re.split(r"[.\[]", violation.param)[0] for violation in broken}
    for check in map(CHECKS.__getitem__, model.checks):
        if params.isdisjoint(check.fields):
            yield from check.function(body, gaps)
    if "callback_events" not in params:
        yield from _events(body.get("callback_events", ()), gaps)


def _stated(error: ValidationError, model: Model) -> Violations:
    """Return the violations of one part of the schema: a missing or undeclared field each, or one value."""
    place, schema = _path(error.absolute_path), error.schema
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Violation(_within(place, name), f"{_within(place, name)} is required")
    elif error.validator == "additionalProperties":
        for name in error.instance:
            if name not in schema["properties"]:
                yield _capability(_within(place, name), f"{model.name} takes no {_within(place, name)}")
    else:
        yield Violation(place, f"{place} {schema['description']}")


def _events(events: Iterable[str], gaps: Gaps) -> Violations:
    allowed = [event_of(status, gaps) for status in EVENTS]
    for at, event in enumerate(events):
        if event not in allowed:
            param = f"callback_events[{at}]"
            yield Violation(param, f"{param} must be one of {', '.join(allowed)}")


def _capability(param: str, message: str) -> Violation:
    return Violation(param, message, "capability_violation")


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _path(parts: Iterable[str | int]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")
