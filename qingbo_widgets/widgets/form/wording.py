"""The problems of a request in the words of the form: labels of controls instead of names of parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from ...i18n import N_, joined, tr
from ...service.contract.labels import label
from ...service.contract.models import models_of
from ...service.contract.problem import Problem, assigned, listed, numbered, part_of
from ...service.contract.schema import Parameter
from ...service.contract.urls import public_url_refusal
from ...service.contract.values import DynamicMask, is_set
from ..base import html as markup
from ..base.html import Markup
from .form_fields import FormFields
from .image_fields import line_names, unready_files
from .labels import value_label

__all__ = [
    "character_count",
    "name_of_part",
    "problem_lines",
    "problems_html",
    "required_members",
    "with_labels",
]

_COUNTED = N_("{count} / {limit} characters")
_COUNT, _ONE = N_("{count} characters"), N_("1 character")
_NUMBERED = N_("{label} {number}")
_LABELLED = N_("{label}: {text}")
_REQUIRED, _REQUIRED_FIELD = N_("Required: {fields}."), N_("Required.")
#: By whether another field can be set instead, and whether the user can turn the switch.
_REFUSED_SWITCHES = {
    (False, False): N_("It {reason}."),
    (False, True): N_("It {reason}; {act}."),
    (True, False): N_("It {reason}; try {example}."),
    (True, True): N_("It {reason}; try {example}, or {act}."),
}
_NOT_PAINTED = N_("Paint the part that moves, or choose a mask.")
_NO_PATH = N_("Draw its path: at least {fewest} points.")
_UNTICK, _TICK = N_("untick it"), N_("tick it")
#: A quoted value, in which nothing is a name; an apostrophe inside a word does not begin one.
_QUOTED = r"""(?<![A-Za-z0-9])'[^']*'|"[^"]*\""""


def problems_html(
    form: FormFields,
    fields: str | Iterable[str],
    problems: Iterable[Problem],
    warnings: Iterable[Problem] = (),
) -> Markup:
    """Return the problems and warnings of one or more fields, safe for HTML.

    Those of a single field do not begin with its label, which stands beside them.
    """
    problems, warnings = tuple(problems), tuple(warnings)
    if not problems and not warnings:  # the usual case, for every field
        return Markup()
    lines = [
        *problem_lines(form, fields, problems),
        *((text, "hint") for text, _ in problem_lines(form, fields, warnings)),
    ]
    return markup.join(markup.note(text, kind) for text, kind in lines)


def character_count(count: int, limit: int) -> str:
    """Return the number of characters of a prompt as text; ``limit`` is 0 if there is none."""
    if limit:
        return tr(_COUNTED).format(count=count, limit=limit)
    return tr(_ONE) if count == 1 else tr(_COUNT).format(count=count)


def problem_lines(
    form: FormFields, fields: str | Iterable[str], problems: Iterable[Problem]
) -> list[tuple[str, str]]:
    """Return the problems of fields as lines, each with its kind: ``alarm``, or ``hint`` for what is missing.

    An object in a list that nothing has been put into yet has one line for all that it requires, a mask that
    is being made one for what is still to be done.
    """
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    lines: dict[str, str] = {}
    for problem in problems:
        if problem.field not in names:
            continue
        parameter, is_alone = form.parameter(problem.field), isinstance(fields, str)
        steps = _mask_steps(form, problem, parameter)
        if not problem.number and parameter.required and not is_set(getattr(form, problem.field)):
            place, text, kind = "", tr(_REQUIRED_FIELD), "alarm"
        elif missing := required_members(form, problem):
            place, text, kind = "", tr(_REQUIRED).format(fields=listed(missing)), "hint"
        elif steps is not None:
            place, text, kind = "", steps, "hint"
        else:
            (place, text), kind = _split(form, problem, parameter), _kind(form, problem, parameter)
        where = [] if is_alone else [_numbered(parameter, problem.number)]
        where += [place] if place else []
        line = tr(_LABELLED).format(label=listed(where), text=text) if where else _capitalised(text)
        lines.setdefault(line, kind)
    return list(lines.items())


def _capitalised(text: str) -> str:
    """Return a sentence with a capital at its beginning, unless that is a value or a name."""
    return text[:1].upper() + text[1:] if re.match(r"[a-z]+[ ,]", text) else text


def required_members(form: FormFields, problem: Problem) -> tuple[str, ...]:
    """Return the labels of what an object requires, if the problem is about one that is still empty."""
    value, members = getattr(form, problem.field), form.parameter(problem.field).members
    if not (members and isinstance(value, tuple) and 0 < problem.number <= len(value)):
        return ()
    item = value[problem.number - 1]
    if not isinstance(item, Mapping) or any(is_set(part) for part in item.values()):
        return ()
    return tuple(label(member) for member in members.values() if member.required and not member.numbered)


def _mask_steps(form: FormFields, problem: Problem, parameter: Parameter) -> str | None:
    """Return what is still to be done for a mask without URL or path; ``None`` for any other problem."""
    masks = getattr(form, problem.field)
    if parameter.type != "masks" or not isinstance(masks, tuple) or not 0 < problem.number <= len(masks):
        return None
    mask = masks[problem.number - 1]
    if not isinstance(mask, DynamicMask) or problem in unready_files(form):
        return None
    fewest, _ = parameter.limits["points"]
    has_path = not isinstance(mask.trajectories, tuple) or len(mask.trajectories) >= fewest
    if mask.mask_url and has_path:
        return None
    steps = [] if mask.mask_url else [tr(_NOT_PAINTED)]
    return " ".join(steps if has_path else [*steps, tr(_NO_PATH).format(fewest=fewest)])


def _kind(form: FormFields, problem: Problem, parameter: Parameter) -> str:
    """Return ``hint`` for a member that is not set, or a list that is too short."""
    value, where = getattr(form, problem.field), numbered(problem.field, problem.number)
    if not (parameter.members and isinstance(value, tuple) and 0 < problem.number <= len(value)):
        return "alarm"
    item = value[problem.number - 1]
    for key, member in parameter.members.items():
        if isinstance(item, Mapping) and problem.message.startswith(f"{part_of(where, key)}: "):
            return "hint" if not is_set(item.get(key)) or _is_growing(item[key], member) else "alarm"
    return "alarm"


def _is_growing(urls: object, member: Parameter) -> bool:
    """Return True if a list of URLs has nothing wrong but that more are needed."""
    fewest, _ = member.limits.get("count") or (0, 0)
    return isinstance(urls, tuple) and len(urls) < fewest and not any(map(public_url_refusal, urls))


def name_of_part(form: FormFields, field: str, number: int) -> str:
    """Return the label that the form shows for a numbered part of a field, counted from 1."""
    value, parameter = getattr(form, field), form.parameter(field)
    if parameter.type == "urls" and isinstance(value, tuple) and 0 < number <= len(value):
        return line_names(form, field, len(value))[number - 1]
    return _numbered(parameter, number)


def _numbered(parameter: Parameter, number: int) -> str:
    text = label(parameter)
    return tr(_NUMBERED).format(label=text, number=number) if number else text


def _split(form: FormFields, problem: Problem, parameter: Parameter) -> tuple[str, str]:
    """Return the label of the part that a problem is about, empty for a whole control, and the sentence."""
    message, field = problem.message, problem.field
    if refusal := _refusal_of_switch(form, problem, parameter):
        return "", with_labels(form, refusal)
    where = numbered(field, problem.number) if problem.number else field
    places = {f"{part_of(where, key)}: ": label(member) for key, member in parameter.members.items()}
    own = name_of_part(form, field, problem.number) if problem.number and not parameter.members else ""
    places |= {f"{where}: ": own if parameter.type == "urls" else "", f"{field}: ": ""}
    for prefix, place in places.items():
        if message.startswith(prefix):
            return place, with_labels(form, _with_choices(parameter, message.removeprefix(prefix)))
    return "", with_labels(form, message)


def _with_choices(parameter: Parameter, text: str) -> str:
    """Replace the values in a field's own message by their labels; a checkbox has only the field's label."""
    if parameter.type == "boolean":
        return re.sub(r"^(True|False)(?= )", label(parameter), text)
    if text.startswith("{"):  # an object in Python: its keys are no choices
        return text
    return re.sub(r"(?<!=)'[^']*'", lambda match: _value_text(parameter, match[0]), text)


def _refusal_of_switch(form: FormFields, problem: Problem, parameter: Parameter) -> str:
    """Return the sentence of a constraint that refuses a checkbox, which shows no ``True``; or nothing."""
    value, model = getattr(form, problem.field), form.models.of(form.model)
    if parameter.type != "boolean" or not isinstance(value, bool):
        return ""
    act, is_free = tr(_UNTICK) if value else tr(_TICK), problem.field not in {*form.fixed, *form.hidden}
    for rule in model.active({name: getattr(form, name) for name in model.parameters}):
        if rule.refusal and problem.field in rule.limit and tr(rule.refusal) in problem.message:
            text = tr(_REFUSED_SWITCHES[bool(rule.suggest), is_free])
            return text.format(reason=tr(rule.refusal), example=assigned(rule.suggest), act=act)
    return ""


def with_labels(form: FormFields, text: str) -> str:
    """Replace names of parameters by their labels; a name of one word also is a word, and remains.

    The value of a parameter becomes its label too: ``resolution='1080p'``, ``multi_shot True``.
    """

    def replaced(match: re.Match[str]) -> str:
        if match["set"]:
            parameter = form.parameter(match["set"])
            return f"\0{label(parameter)}\0 {_value_text(parameter, match['value'])}"
        return f"\0{label(form.parameter(match['name']))}\0" if match["name"] else match[0]

    return joined(_names_in(form.models.contract).sub(replaced, text.replace("\0", "")).split("\0"))


def _value_text(parameter: Parameter, text: str) -> str:
    """Return the label of a value that a message has as Python has it; of any other text, the text."""
    if text in ("True", "False"):
        return value_label(parameter, text == "True")
    name = text.removeprefix("'").removesuffix("'")
    return f"'{value_label(parameter, name)}'" if name in parameter.labels else text


@lru_cache(maxsize=10)
def _names_in(contract: str) -> re.Pattern[str]:
    """Return the pattern of quoted values, which contain no names, and of the names of parameters."""
    parameters = models_of(contract).parameters
    names = [name for name, parameter in parameters.items() if parameter.label]
    long_names = "|".join(name for name in names if "_" in name)
    before, after = r"(?<![A-Za-z0-9_./])", r"(?![A-Za-z0-9_=]|[./][A-Za-z0-9_])"
    words = {word for name in names for word in parameters[name].labels if word.isalpha()}
    value = rf"(?:{'|'.join(['True', 'False', *sorted(words)])}){after}"
    code = rf"(?P<set>{'|'.join(names)})(?:=(?=\S)| (?={value}))(?P<value>{value}|'[^']*')?"
    return re.compile(rf"{_QUOTED}|{before}(?:{code}|(?P<name>{long_names}){after})")
