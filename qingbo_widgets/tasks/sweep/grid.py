"""Expansion of lists of values, or of a table, into the requests of a sweep. Pure; nothing is sent here."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...exceptions import InvalidRequest
from ...i18n import tr
from ...service.contract.kinds import KINDS, parsed
from ...service.contract.models import declared
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.contract.values import CameraControl, DynamicMask, Shot
from ...service.secrets.known_keys import hide, holds_key
from ..local_files import explained

__all__ = ["Combination", "Grid", "Skipped", "make_grid"]

#: Maximum nesting depth of a table cell; a list of masks with their points has four levels.
_MAX_DEPTH = 16
#: The types of lists whose parts can be written as tuples, too.
_OBJECTS = frozenset({"objects", "shots", "masks"})
_NO_FIELD = "VideoRequest has no field {names}; a sweep varies {known}"


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
    """

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]


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
        count = len(self.combinations)
        by = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        how = f" ({by})" if by else ""
        singular = tr("{count} task{how}, {seconds} s of video")
        plural = tr("{count} tasks{how}, {seconds} s of video")
        text = (singular if count == 1 else plural).format(count=count, how=how, seconds=self.seconds)
        if not self.skipped:
            return text
        left_out = tr("{told}; {count} left out because their model does not accept them")
        return left_out.format(told=text, count=len(self.skipped))


def make_grid(
    table: object = None,
    *,
    repeat: int = 1,
    skip_invalid: bool = False,
    contract: str | None = None,
    is_sandbox: bool = False,
    **fields: Any,
) -> Grid:
    """Return every combination of the given values.

    Args:
        table: the path of a CSV file, a DataFrame, or a list of dictionaries or requests. Its columns are
            fields, and the values of a row belong together; an empty cell leaves a field at its default.
        repeat: number of times each combination is rendered.
        skip_invalid: leave out combinations that the service would refuse, instead of raising.
        contract: the date of the service's contract.
        is_sandbox: whether the requests would go to a sandbox that this process can reach.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest. ``image_urls``,
            ``shots``, ``element_list`` and the like are lists themselves and vary by a list of lists.

    Raises:
        InvalidRequest: the service would refuse some combinations; the message names each problem.
        TypeError: a field does not exist.
        ValueError: there is nothing to generate.
    """
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise ValueError(tr("repeat={value!r} is not a positive whole number").format(value=repeat))
    rows: list[dict[str, Any]] = [{}] if table is None else [_row(row) for row in _rows(table)]
    lists = {name: _as_values(name, value) for name, value in fields.items()}
    varied = {name: values for name, values in lists.items() if values is not None}
    fixed = {name: value for name, value in fields.items() if name not in varied}
    _check_names({*fields, *(name for row in rows for name in row)})
    if duplicates := sorted(set(fields) & {name for row in rows for name in row}):
        raise TypeError(f"{', '.join(duplicates)}: given in the table and as an argument")
    for name, items in {tr("the table"): rows, **varied}.items():
        if not items:
            raise ValueError(tr("{name} is empty: there is nothing to generate").format(name=name))

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
        if problems := request.problems(contract):
            skipped.append(Skipped(values, explained(problems, request, is_sandbox=is_sandbox)))
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
    if not _is_many(value):
        return None
    assert isinstance(value, Iterable)
    values = [_plain(item) for item in value]
    parameter = declared().get(name)
    if parameter is None or not KINDS[parameter.type].is_list:
        return values
    is_complete = _is_list_of_objects if parameter.type in _OBJECTS else _is_list_of_texts
    return values if values and all(map(is_complete, values)) else None


def _is_many(value: object) -> bool:
    single = (str, bytes, Mapping, Shot, CameraControl, DynamicMask)
    return isinstance(value, Iterable) and not isinstance(value, single)


def _is_list_of_texts(value: object) -> bool:
    """Return True if ``value`` is a complete value of a list of texts, not one text of it."""
    return isinstance(value, list | tuple)


def _is_list_of_objects(value: object) -> bool:
    """Return True if ``value`` is a complete list of objects; ``("a koi", 5)`` is a single one."""
    parts = (Mapping, Shot, DynamicMask, list, tuple)
    return isinstance(value, list | tuple) and all(isinstance(part, parts) for part in value)


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


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


def _check_names(names: Iterable[str]) -> None:
    known = VideoRequest.field_names()
    if unknown := sorted(set(names) - set(known)):
        raise TypeError(_NO_FIELD.format(names=hide(", ".join(unknown)), known=", ".join(known)))


def _grouped(skipped: Sequence[Skipped]) -> list[Problem]:
    """Return each problem once, with the combinations that have it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for item in skipped:
        label = ", ".join(f"{name}={value!r}" for name, value in item.values.items())
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


# ---------------------------------------------------------------------- tables


def _rows(table: Any) -> Iterable[Any]:
    if isinstance(table, (str, os.PathLike)):
        path = Path(table).expanduser()
        try:
            return list(csv.DictReader(io.StringIO(_text(path), newline="")))
        except csv.Error as error:
            raise ValueError(tr("{path} is not a table: {reason}").format(path=path, reason=error)) from None
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        return list(table.to_dict("records"))
    if isinstance(table, Mapping):
        raise TypeError("a table is a path, a DataFrame, or a list of rows; a single row goes into a list")
    return list(table)


def _text(file: Path) -> str:
    """Return the text of a CSV file in UTF-8 or in the encoding of a Chinese Excel.

    Raises:
        OSError: the file does not exist or cannot be read.
        ValueError: the file is not text.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        message = tr("there is no CSV file {path}; prompts go into a list: sweep(prompt=[…])").format(
            path=hide(str(file))
        )
        raise FileNotFoundError(error.errno, message) from None
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise ValueError(
        tr("{path} is not text in UTF-8 or GB 18030; save it as CSV UTF-8").format(path=hide(str(file)))
    )


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, VideoRequest):
        return row.chosen()
    if isinstance(row, str):
        return {"prompt": row}
    if not isinstance(row, Mapping):
        raise TypeError(f"a row is a dictionary, a VideoRequest or a prompt, not {type(row).__name__}")
    if None in row:  # csv.DictReader puts surplus cells there
        raise ValueError(tr("a row has more cells than there are columns: {cells!r}").format(cells=row[None]))
    return {
        str(name).strip(): _read(str(name).strip(), value)
        for name, value in row.items()
        if not _is_empty(value)
    }


def _is_empty(value: Any) -> bool:
    """Return True for an empty cell: None, blanks, or the NaN that pandas puts there."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    # Only NaN differs from itself, as do pandas' NaT and NA in their own ways.
    try:
        return not isinstance(value, (list, tuple)) and not bool(value == value)
    except (TypeError, ValueError):
        return not _is_many(value)


def _read(name: str, value: Any) -> Any:
    """Parse a cell's text as the field's value; invalid text is returned unchanged, to be reported later."""
    value, parameter = _plain(value), declared().get(name)
    if parameter is None:
        return value
    kind = KINDS[parameter.type]
    if isinstance(value, float) and value.is_integer() and not kind.fits(value) and kind.fits(int(value)):
        return int(value)  # pandas converts integers to floats if the column has an empty cell
    if not isinstance(value, str):
        return value
    try:
        read = parsed(parameter, value.strip())
    except ValueError:
        return value
    return value if isinstance(read, str) or _is_deep(read) else read  # text keeps its blanks


def _is_deep(value: Any, levels: int = _MAX_DEPTH) -> bool:
    """Return True if a value is nested deeper than any parameter, since deeper recursion fails in Python."""
    if not isinstance(value, list | dict):
        return False
    return levels == 0 or any(
        _is_deep(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value)
    )
