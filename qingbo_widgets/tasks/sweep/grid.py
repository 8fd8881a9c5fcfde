"""What a sweep consists of: from lists of values, or a table, to requests. Pure; nothing is sent here."""

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

__all__ = ["Combination", "Grid", "Skipped", "make_grid"]

#: Levels of parts in parts that a cell may have; a list of masks with their points has four.
_DEEPEST = 16
_NO_FIELD = "VideoRequest has no field {names}; a sweep varies {known}"


@dataclass(frozen=True)
class Combination:
    """One request of a sweep.

    Attributes:
        values: what varies, and its value here: a field's name to its value, ``repeat`` to 1, 2, …
        request: the whole request.
    """

    values: Mapping[str, Any]
    request: VideoRequest


@dataclass(frozen=True)
class Skipped:
    """A combination that its model does not take.

    Attributes:
        values: as in ``Combination``.
        problems: why, one entry a problem.
    """

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Grid:
    """All combinations of a sweep, in the order in which they are submitted.

    Attributes:
        axes: what varies: a field's name to its values, in the order given.
        combinations: one for each task.
        skipped: what was left out, and why.
    """

    axes: Mapping[str, tuple[Any, ...]]
    combinations: tuple[Combination, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def seconds(self) -> int:
        """How many seconds of video all of them make."""
        return sum(one.request.seconds for one in self.combinations)

    def summary(self) -> str:
        """How many tasks that is, in a sentence."""
        count = len(self.combinations)
        by = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        how = f" ({by})" if by else ""
        one = tr("{count} task{how}, {seconds} s of video")
        many = tr("{count} tasks{how}, {seconds} s of video")
        told = (one if count == 1 else many).format(count=count, how=how, seconds=self.seconds)
        if not self.skipped:
            return told
        left_out = tr("{told}; {count} left out that their model does not take")
        return left_out.format(told=told, count=len(self.skipped))


def make_grid(
    table: object = None,
    *,
    repeat: int = 1,
    skip_invalid: bool = False,
    contract: str | None = None,
    **fields: Any,
) -> Grid:
    """Every combination of the values given.

    Args:
        table: rows that belong together: the path of a CSV file, a DataFrame, or a list of dictionaries or
            requests. Its columns are fields; an empty cell leaves a field at its default.
        repeat: how many times each combination is rendered.
        skip_invalid: leave out combinations that the service would refuse, instead of raising.
        contract: the date of the service's contract.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest. ``image_urls``,
            ``shots`` and ``dynamic_masks`` are lists themselves: there a list of lists varies.

    Raises:
        InvalidRequest: the service would refuse some of them; the text names each.
        TypeError: a field that does not exist.
        ValueError: nothing to make a sweep of.
    """
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise ValueError(tr("repeat={value!r} is not a whole number from 1").format(value=repeat))
    rows: list[dict[str, Any]] = [{}] if table is None else [_row(row) for row in _rows(table)]
    lists = {name: _as_values(name, value) for name, value in fields.items()}
    varied = {name: values for name, values in lists.items() if values is not None}
    fixed = {name: value for name, value in fields.items() if name not in varied}
    _check_names({*fields, *(name for row in rows for name in row)})
    if twice := sorted(set(fields) & {name for row in rows for name in row}):
        raise TypeError(f"{', '.join(twice)}: given in the table and as an argument")
    for name, values in {tr("the table"): rows, **varied}.items():
        if not values:
            raise ValueError(tr("{name} is empty: there is nothing to make").format(name=name))

    columns = differing(rows)
    numbered = len(rows) > 1 and not columns  # the same row several times: only its number tells
    repeats = range(1, repeat + 1)
    combinations, skipped = [], []
    for (number, row), *chosen, again in itertools.product(enumerate(rows, 1), *varied.values(), repeats):
        picked = dict(zip(varied, chosen, strict=True))
        told: dict[str, Any] = {"row": number} if numbered else {}
        told |= {**{name: row.get(name) for name in columns}, **picked}
        told |= {"repeat": again} if repeat > 1 else {}
        request = VideoRequest(**{**fixed, **row, **picked})
        if problems := request.problems(contract):
            skipped.append(Skipped(told, problems))
        else:
            combinations.append(Combination(told, request))
    # A combination with the key is not left out either: the library would keep it among those left out.
    if skipped and (not (skip_invalid and combinations) or any(holds_key(one.values) for one in skipped)):
        raise InvalidRequest(_told(skipped))
    axes: dict[str, tuple[Any, ...]] = {"row": tuple(range(1, len(rows) + 1))} if numbered else {}
    axes |= {name: tuple(_distinct(row.get(name) for row in rows)) for name in columns}
    axes |= {name: tuple(values) for name, values in varied.items()}
    axes |= {"repeat": tuple(repeats)} if repeat > 1 else {}
    return Grid(axes, tuple(combinations), tuple(skipped))


# ---------------------------------------------------------------------- what varies


def _as_values(name: str, value: object) -> list[Any] | None:
    """The values of a field that varies, ``None`` where there is one only."""
    if not _is_many(value):
        return None
    assert isinstance(value, Iterable)
    values = [_plain(item) for item in value]
    parameter = declared().get(name)
    is_list = parameter is not None and KINDS[parameter.type].is_list
    return values if not is_list or (values and all(map(_is_list_of_parts, values))) else None


def _is_many(value: object) -> bool:
    one = (str, bytes, Mapping, Shot, CameraControl, DynamicMask)
    return isinstance(value, Iterable) and not isinstance(value, one)


def _is_list_of_parts(value: object) -> bool:
    """Whether it is a whole value of a field of lists; ("a koi", 5) is a single shot."""
    return isinstance(value, list) or (
        isinstance(value, tuple) and not any(type(part) is int for part in value)
    )


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def differing(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names whose values are not the same in all rows; one that is missing counts as ``None``."""
    names = _distinct(name for row in rows for name in row)
    return [name for name in names if len(_distinct(row.get(name) for row in rows)) > 1]


def _check_names(names: Iterable[str]) -> None:
    known = VideoRequest.field_names()
    if unknown := sorted(set(names) - set(known)):
        raise TypeError(_NO_FIELD.format(names=hide(", ".join(unknown)), known=", ".join(known)))


def _told(skipped: Sequence[Skipped]) -> list[Problem]:
    """The problems, each once, with the combinations that have it."""
    where: dict[tuple[str, str], list[str]] = {}
    for one in skipped:
        label = ", ".join(f"{name}={value!r}" for name, value in one.values.items())
        for problem in one.problems:
            where.setdefault((problem.field, problem.message), []).append(label)
    advice = tr("skip_invalid=True leaves such combinations out.")
    problems = []
    for (name, message), (first, *more) in where.items():
        if first and more:
            named = tr("{message} [{combination} and {count} more]")
            message = named.format(message=message, combination=first, count=len(more))
        elif first:
            message = f"{message} [{first}]"
        problems.append(Problem(name, message))
    return [*problems, Problem("", advice)] if any(where.values()) else problems


# ---------------------------------------------------------------------- tables


def _rows(table: Any) -> Iterable[Any]:
    if isinstance(table, (str, os.PathLike)):
        path = Path(table).expanduser()
        try:
            return list(csv.DictReader(io.StringIO(_text(path), newline="")))
        except csv.Error as error:
            raise ValueError(tr("{path} is no table: {reason}").format(path=path, reason=error)) from None
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        return list(table.to_dict("records"))
    if isinstance(table, Mapping):
        raise TypeError("a table is a path, a DataFrame, or a list of rows; one row alone goes into a list")
    return list(table)


def _text(file: Path) -> str:
    """What a CSV file says, in UTF-8 or in what a Chinese Excel writes.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is no text.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        told = tr("there is no CSV file {path}; prompts go into a list: sweep(prompt=[…])").format(
            path=hide(str(file))
        )
        raise FileNotFoundError(error.errno, told) from None
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
    if None in row:  # what csv.DictReader does with a row that is too long
        raise ValueError(tr("a row has more cells than there are columns: {cells!r}").format(cells=row[None]))
    return {
        str(name).strip(): _read(str(name).strip(), value)
        for name, value in row.items()
        if not _is_empty(value)
    }


def _is_empty(value: Any) -> bool:
    """An empty cell: nothing, blanks, or the "not a number" that pandas puts there."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    # Only NaN, and pandas' NaT and NA in their ways, differ from themselves.
    try:
        return not isinstance(value, (list, tuple)) and not bool(value == value)
    except (TypeError, ValueError):
        return not _is_many(value)


def _read(name: str, value: Any) -> Any:
    """Return a cell's text as the field's value; what cannot be read stays, and is reported as such."""
    value, parameter = _plain(value), declared().get(name)
    if parameter is None:
        return value
    kind = KINDS[parameter.type]
    if isinstance(value, float) and value.is_integer() and not kind.fits(value) and kind.fits(int(value)):
        return int(value)  # pandas makes floats of whole numbers where a cell is empty
    if not isinstance(value, str):
        return value
    try:
        read = parsed(parameter, value.strip())
    except ValueError:
        return value
    return value if isinstance(read, str) or _is_deep(read) else read  # a text keeps its blanks


def _is_deep(value: Any, levels: int = _DEEPEST) -> bool:
    """Return whether parts lie in parts deeper than any parameter has them: further on, Python gives up."""
    if not isinstance(value, list | dict):
        return False
    return levels == 0 or any(
        _is_deep(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value)
    )
