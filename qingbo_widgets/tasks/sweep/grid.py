"""Expansion of lists of values, or of a table, into the requests of a sweep. Pure; nothing is sent here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ...exceptions import InvalidRequest
from ...i18n import tr
from ...service.contract.frames import IMAGE
from ...service.contract.kinds import KINDS
from ...service.contract.misspelt import check_names
from ...service.contract.models import DEFAULT_CONTRACT, declared, models_of
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.contract.values import CameraControl, DynamicMask, Shot
from ...service.secrets.known_keys import holds_key
from .labels import axis_label
from .table import is_many, plain, read_table

if TYPE_CHECKING:
    from ..inputs.inputs import Inputs

__all__ = ["Combination", "Grid", "Skipped", "make_grid", "summary"]

#: Values with parts that are nevertheless one value.
_SINGLE = (str, bytes, Mapping, Shot, CameraControl, DynamicMask)
#: The types of lists whose parts can be written as tuples, too.
_OBJECTS = frozenset({"objects", "shots", "masks"})


@dataclass(frozen=True)
class Combination:
    """One request of a sweep.

    Attributes:
        values: the varied fields with their values in this combination, by name; ``repeat`` is 1, 2, …
        request: the complete request.
    """

    values: Mapping[str, Any]
    request: VideoRequest


@dataclass(frozen=True)
class Skipped:
    """A combination that its model does not accept.

    Attributes:
        values: as in ``Combination``.
        problems: the reasons.
        row: the number of its row in a CSV file as a spreadsheet shows it, or ``None``.
    """

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]
    row: int | None = None


@dataclass(frozen=True)
class Grid:
    """All combinations of a sweep, in the order in which they are submitted.

    Attributes:
        axes: the varied fields with their values, by name, in the order of the arguments.
        combinations: one combination per task.
        skipped: the combinations that were left out, with the reasons.
    """

    axes: Mapping[str, tuple[Any, ...]]
    combinations: tuple[Combination, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def seconds(self) -> int:
        """The total length of all videos, in seconds."""
        return sum(combination.request.seconds for combination in self.combinations)

    def summary(self) -> str:
        """Return the number of tasks as a phrase."""
        return summary(self.axes, self.combinations, len(self.skipped))


class HasRequest(Protocol):
    """A combination, or a cell."""

    @property
    def request(self) -> VideoRequest: ...


def summary(axes: Mapping[str, Sequence[Any]], items: Sequence[HasRequest], left_out: int) -> str:
    """Return the number of tasks, what varies, and the total length of the videos, as a phrase.

    Args:
        axes: the varied fields with their values, by name.
        items: the combinations or cells.
        left_out: the number of combinations that were left out.
    """
    count, seconds = len(items), sum(item.request.seconds for item in items)
    by = " × ".join(f"{axis_label(name)} {len(values)}" for name, values in axes.items())
    how = tr(" ({axes})").format(axes=by) if by else ""
    singular = tr("{count} task{how}, {seconds} s of video")
    plural = tr("{count} tasks{how}, {seconds} s of video")
    text = (singular if count == 1 else plural).format(count=count, how=how, seconds=seconds)
    if not left_out:
        return text
    with_left_out = tr("{text}; {count} skipped because their model does not accept them")
    return with_left_out.format(text=text, count=left_out)


def make_grid(
    table: object = None,
    *,
    encoding: str | None = None,
    repeat: int = 1,
    skip_invalid: bool = False,
    contract: str | None = None,
    inputs: Inputs | None = None,
    **fields: Any,
) -> Grid:
    """Return every combination of the given values.

    Args:
        table: the path of a CSV file, a DataFrame, or a list of dictionaries or requests. Its columns are
            fields, and the values of a row belong together; an empty cell leaves a field at its default.
        encoding: the encoding of a CSV file, for example ``"cp1252"``; by default detected.
        repeat: number of times each combination is rendered.
        skip_invalid: leave out combinations that the service would refuse, instead of raising.
        contract: the date of the service's contract.
        inputs: saves the pictures and videos in the requests that are on this machine.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest. ``image_urls``,
            ``shots``, ``element_list`` and the like are lists themselves and vary by a list of lists.

    Raises:
        InvalidRequest: the service would refuse some combinations; the message names each problem.
        TypeError: a field does not exist.
        ValueError: there is nothing to generate, the file is no table, or its encoding is not certain.
    """
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise ValueError(tr("repeat={value!r} is not a positive whole number").format(value=repeat))
    if table is None and encoding is not None:
        raise TypeError(tr("encoding is for a CSV file, and there is none"))
    read = [] if table is None else read_table(table, encoding)
    rows: list[Mapping[str, Any]] = [{}] if table is None else [row.values for row in read]
    if inputs is not None:
        fields, rows = inputs.saved_fields(fields), [inputs.saved_fields(row) for row in rows]
    lists = {name: _as_values(name, value) for name, value in fields.items()}
    varied = {name: values for name, values in lists.items() if values is not None}
    fixed = {name: value for name, value in fields.items() if name not in varied}
    columns_and_fields = {*fields, *(name for row in rows for name in row)}
    check_names("sweep()", columns_and_fields, lambda: models_of(contract or DEFAULT_CONTRACT), (IMAGE,))
    if duplicates := sorted(set(fields) & {name for row in rows for name in row}):
        message = tr("{names}: given in the table and as an argument; leave out one of the two")
        raise TypeError(message.format(names=", ".join(duplicates)))
    for name, items in {tr("the table"): rows, **varied}.items():
        if not items:
            raise ValueError(tr("{name} is empty: nothing to generate").format(name=name))

    columns = differing(rows)
    numbered = len(rows) > 1 and not columns  # identical rows: only the number distinguishes them
    repeats = range(1, repeat + 1)
    combinations, skipped = [], []
    for (number, row), *chosen, repetition in itertools.product(
        enumerate(rows, 1), *varied.values(), repeats
    ):
        picked = dict(zip(varied, chosen, strict=True))
        values: dict[str, Any] = {"row": number} if numbered else {}
        values |= {**{name: row.get(name) for name in columns}, **picked}
        values |= {"repeat": repetition} if repeat > 1 else {}
        request = VideoRequest(**{**fixed, **row, **picked})
        problems = (
            request.problems(contract)
            if inputs is None
            else inputs.checked(request, contract or DEFAULT_CONTRACT).problems
        )
        if problems:
            place = read[number - 1].number if read else None
            skipped.append(Skipped(values, problems, place))
        else:
            combinations.append(Combination(values, request))
    # A combination that contains the key always raises: the library would save it among those left out.
    if skipped and (not (skip_invalid and combinations) or any(holds_key(item.values) for item in skipped)):
        raise InvalidRequest(_grouped(skipped))
    axes: dict[str, tuple[Any, ...]] = {"row": tuple(range(1, len(rows) + 1))} if numbered else {}
    axes |= {name: tuple(_distinct(row.get(name) for row in rows)) for name in columns}
    axes |= {name: tuple(values) for name, values in varied.items()}
    axes |= {"repeat": tuple(repeats)} if repeat > 1 else {}
    return Grid(axes, tuple(combinations), tuple(skipped))


# ---------------------------------------------------------------------- varied fields


def _as_values(name: str, value: object) -> list[Any] | None:
    """Return the values of a varied field, or ``None`` for a single value."""
    if not is_many(value, _SINGLE):
        return None
    assert isinstance(value, Iterable)
    values = [plain(item) for item in value]
    parameter = declared().get(name)
    if parameter is None or not KINDS[parameter.type].is_list:
        return values
    is_complete = _is_list_of_objects if parameter.type in _OBJECTS else _is_list_of_texts
    return values if values and all(map(is_complete, values)) else None


def _is_list_of_texts(value: object) -> bool:
    """Return True if ``value`` is a complete value of a list of texts, not one text of it."""
    return isinstance(value, list | tuple)


def _is_list_of_objects(value: object) -> bool:
    """Return True if ``value`` is a complete list of objects; ``("a koi", 5)`` is a single one."""
    parts = (Mapping, Shot, DynamicMask, list, tuple)
    return isinstance(value, list | tuple) and all(isinstance(part, parts) for part in value)


def _distinct(values: Iterable[Any]) -> list[Any]:
    distinct: list[Any] = []
    for value in values:
        if value not in distinct:
            distinct.append(value)
    return distinct


def differing(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names whose values differ between rows; a missing value counts as ``None``."""
    names = _distinct(name for row in rows for name in row)
    return [name for name in names if len(_distinct(row.get(name) for row in rows)) > 1]


def _grouped(skipped: Sequence[Skipped]) -> list[Problem]:
    """Return each problem once, with the combinations that have it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for item in skipped:
        label = ", ".join(f"{name}={value!r}" for name, value in item.values.items())
        if item.row is not None:
            label = ", ".join(filter(None, (tr("row {row}").format(row=item.row), label)))
        for problem in item.problems:
            labels.setdefault((problem.field, problem.message), []).append(label)
    advice = tr("skip_invalid=True leaves such combinations out.")
    problems = []
    for (name, message), (first, *more) in labels.items():
        if first and more:
            labelled = tr("{message} [{combination} and {count} more]")
            message = labelled.format(message=message, combination=first, count=len(more))
        elif first:
            message = f"{message} [{first}]"
        problems.append(Problem(name, message))
    return [*problems, Problem("", advice)] if any(labels.values()) else problems
