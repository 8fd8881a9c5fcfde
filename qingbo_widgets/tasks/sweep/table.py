"""Tables of requests: CSV files as spreadsheets write them, DataFrames, and lists of rows."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...i18n import N_, tr
from ...service.contract.kinds import KINDS, parsed
from ...service.contract.models import declared
from ...service.contract.request import VideoRequest
from ...service.contract.text import shorten
from ...service.secrets.known_keys import hide
from .encodings import codec_of, decode, readings

__all__ = ["Row", "is_many", "plain", "read_table", "short_line"]

#: Maximum nesting depth of a table cell; a list of masks with their points has four levels.
_MAX_DEPTH = 16
#: Characters of a prompt that an error message shows.
_SHOWN = 60
#: Encodings that an error message shows.
_MOST_READINGS = 5
_SEPARATORS = (",", ";", "\t")
#: The first line by which Excel learns the separator.
_SEP = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)
_INTEGER = re.compile(r"([+-]?\d+)[.,]0{1,3}")
#: Not a number with thousands: "1,500" may be either.
_DECIMAL = re.compile(r"[+-]?(?:\d+,\d{1,2}|\d+,\d{4,}|0?,\d+)")
#: What a spreadsheet makes of 16:9, which it takes for a time.
_TIME = re.compile(r"0?(\d{1,2}):0?(\d{1,2})(?::00)?")
#: A cell that a spreadsheet shall not take for a number or a formula.
_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_ERROR = re.compile(r"#(?:NAME\?|N/A|[A-Z]+(?:/0)?!|#+)|Err:\d{3}")
#: What is left of letters after they were written in one encoding and read in another.
_DAMAGE = re.compile(r"\ufffd|[ÃÂ][¡-¿]|â€\W|ï[»¿][¿½]|ðŸ|(?:[ä-é][\x80-¿Œ-™]{2}){2}|锟斤拷|\A[?？\s]{3,}\Z")
#: How other files begin: a workbook, an older one, a compressed file, PDF, and HTML, also named .xls.
_OTHER_FILES = (b"PK\3\4", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF", b"<")
#: Characters without width that a page or a chat adds to a copied number.
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
_NO_FILE = N_("the CSV file {path} does not exist; pass prompts as a list: sweep(prompt=[…])")
_UNSURE = N_(
    "{path}: the encoding is not certain. The first prompt reads {readings}. Choose one, for example "
    "sweep({file!r}, encoding={encoding!r}), or save the file as CSV UTF-8."
)
_NO_READING = N_(
    "{path} has an unknown text encoding; save it as CSV UTF-8, or name its encoding: sweep({file!r}, "
    "encoding=…)"
)
_NOT_IN = N_(
    "{path} is not text in the encoding {encoding!r}: {reason}. Without encoding=, the error shows the text "
    "in other encodings."
)
_NO_ENCODING = N_(
    "encoding={encoding!r} is not the name of an encoding; use one such as 'gb18030' or 'cp1252'"
)
_NO_CSV = N_("{path} is a workbook or another file, not CSV; save the table as CSV UTF-8")
_DAMAGED = N_(
    "{path}: the text {cell!r} was damaged when it was saved in a wrong encoding; correct it where the file "
    "was made, and save it as CSV UTF-8"
)
_FORMULA = N_(
    "row {row}: the cell {cell!r} is an error of the spreadsheet; correct it there, or put an apostrophe "
    "before text that begins with =, + or -"
)
_TOO_LONG = N_("row {row} has more cells than columns: {cells}; put text with commas in quotes")
_NO_HEADER = N_(
    "row {row}: the cell {cell!r} is in a column without a name; give the column one, or empty it"
)
_TWICE = N_("two columns are named {name!r}; keep one of them")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        values: the fields that are set, by name.
        number: the number of the row as a spreadsheet shows it, ``None`` if the table is no file.
    """

    values: Mapping[str, Any]
    number: int | None = None


def read_table(table: Any, encoding: str | None = None) -> list[Row]:
    """Return the rows of a table.

    Args:
        table: the path of a CSV file, a DataFrame, or a list of dictionaries, requests or prompts.
        encoding: the encoding of the file; by default detected, or refused if it is not certain.

    Raises:
        OSError: the file does not exist or cannot be read.
        TypeError: the table or a row is something else.
        ValueError: the file is no table, or its encoding is wrong or not certain.
    """
    if isinstance(table, (str, os.PathLike)):
        path = Path(table).expanduser()
        return _rows_in(_text(path, encoding), path)
    if encoding is not None:
        raise TypeError(tr("encoding is for a CSV file, and the table is none"))
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        return [Row(_row(row)) for row in table.to_dict("records")]
    if isinstance(table, Mapping):
        raise TypeError(tr("a table is a path, a DataFrame, or a list of rows; put a single row into a list"))
    return [Row(_row(row)) for row in table]


# ---------------------------------------------------------------------- files


def _text(file: Path, encoding: str | None) -> str:
    """Return the text of a CSV file."""
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        message = tr(_NO_FILE).format(path=hide(str(file)))
        raise FileNotFoundError(error.errno, message) from None
    names = {"path": hide(str(file)), "file": hide(file.name)}
    if content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_OTHER_FILES):
        raise ValueError(tr(_NO_CSV).format(**names))
    if encoding is not None:
        return _decoded(content, encoding, names)
    text = decode(content)
    if text is not None:
        return text
    prompts = {name: _first_prompt(text) for name, text in readings(content).items()}
    shown = {name: prompt for name, prompt in prompts.items() if prompt}
    if not shown:
        raise ValueError(tr(_NO_READING).format(**names))
    first = dict(list(shown.items())[:_MOST_READINGS])
    listed = "; ".join(f"{prompt!r} ({name})" for name, prompt in first.items())
    message = tr(_UNSURE).format(readings=listed, encoding=next(iter(first)), **names)
    raise ValueError(hide(message))


def _decoded(content: bytes, encoding: str, names: Mapping[str, str]) -> str:
    try:
        codec = codec_of(encoding)
    except (LookupError, TypeError, ValueError):
        raise ValueError(tr(_NO_ENCODING).format(encoding=encoding)) from None
    try:
        return content.decode(codec).removeprefix("\ufeff")
    except UnicodeError as error:
        reason = getattr(error, "reason", None) or str(error)
        raise ValueError(tr(_NOT_IN).format(encoding=encoding, reason=reason, **names)) from None


def _first_prompt(text: str) -> str:
    """Return the first prompt of a table as one short line; without one, the first cell that is not ASCII."""
    try:
        header, records = _split(text)
    except csv.Error:
        return ""
    columns = [index for index, name in enumerate(header) if name == "prompt"]
    cells = [record[index] for _, record in records for index in columns if index < len(record)]
    cells += [cell for record in (header, *(record for _, record in records)) for cell in record]
    cell = next((cell for cell in cells if not cell.isascii()), "")
    return short_line(cell)


def _split(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a table, and its records with the numbers that a spreadsheet shows.

    Raises:
        csv.Error: the text is no table.
    """
    begin, separator = 0, None
    first = re.match(r"[^\r\n]*(?:\r\n|\r|\n|$)", text)
    if first is not None and (declared_one := _SEP.fullmatch(first[0])) is not None:
        begin, separator = first.end(), declared_one[1]
    separator = separator or _separator(text)
    lines = io.StringIO(text[begin:], newline="")
    # Strict, because a quote that is never closed would make one prompt of all that follows.
    records = list(enumerate(csv.reader(lines, delimiter=separator, strict=True), 1 + (begin > 0)))
    records = [(number, record) for number, record in records if any(map(str.strip, record))]
    if not records:
        return [], []
    return [_field(name) for name in records[0][1]], records[1:]


def _separator(text: str) -> str:
    """Return the separator with which the first line has most names of fields."""
    known = set(VideoRequest.field_names())

    def names(separator: str) -> int:
        header = next(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator), [])
        return sum(_field(name) in known for name in header)

    return max(_SEPARATORS, key=names)


def _field(name: str) -> str:
    """Return the name of a field as a person types it in a header: with capitals, blanks or hyphens."""
    name = name.replace("\ufeff", "").strip()
    plain = re.sub(r"[\s-]+", "_", name.casefold())
    return plain if plain in VideoRequest.field_names() else name


def _rows_in(text: str, path: Path) -> list[Row]:
    try:
        header, records = _split(text)
    except csv.Error as error:
        message = tr("{path} is not a table: {reason}").format(path=hide(str(path)), reason=error)
        raise ValueError(message) from None
    names = [name for name in header if name]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(hide(tr(_TWICE).format(name=twice)))
    rows = []
    for number, record in records:
        surplus = [cell for cell in record[len(header) :] if cell.strip()]
        if surplus:
            raise ValueError(hide(tr(_TOO_LONG).format(row=number, cells=", ".join(map(repr, surplus)))))
        pairs = list(zip(header, record, strict=False))
        if nameless := [cell for name, cell in pairs if not name and cell.strip()]:
            raise ValueError(hide(tr(_NO_HEADER).format(row=number, cell=nameless[0])))
        rows.append(Row(_row({name: _cell(cell, number, path) for name, cell in pairs if name}), number))
    return rows


def _cell(text: str, row: int, path: Path) -> str:
    """Return the text of a cell without what only a spreadsheet needs.

    Raises:
        ValueError: it is not what the user has typed.
    """
    text = text.replace("\ufeff", "")
    if (quoted := _AS_TEXT.fullmatch(text)) is not None:
        text = quoted[1].replace('""', '"')
    if _ERROR.fullmatch(text.strip()):
        raise ValueError(hide(tr(_FORMULA).format(row=row, cell=short_line(text))))
    if _DAMAGE.search(text):
        raise ValueError(hide(tr(_DAMAGED).format(path=path, cell=short_line(text))))
    return text


# ---------------------------------------------------------------------- rows and cells


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, VideoRequest):
        return row.chosen()
    if isinstance(row, str):
        return {"prompt": row}
    if not isinstance(row, Mapping):
        message = tr("a row is a dictionary, a VideoRequest or a prompt, not {kind}")
        raise TypeError(message.format(kind=type(row).__name__))
    return {
        str(name).strip(): _read(str(name).strip(), value)
        for name, value in row.items()
        if not _is_empty(value)
    }


def short_line(text: str) -> str:
    """Return the beginning of a text as one line, without what a terminal would interpret."""
    return shorten(text, _SHOWN)


def is_many(value: object, single: tuple[type, ...] = (str, bytes, Mapping)) -> bool:
    """Return True for a value that has several parts, other than a text or an object."""
    return isinstance(value, Iterable) and not isinstance(value, single)


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _is_empty(value: Any) -> bool:
    """Return True for an empty cell: None, blanks, or the NaN that pandas puts there."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    # Only NaN differs from itself, as do pandas' NaT and NA in their own ways.
    try:
        return not isinstance(value, (list, tuple)) and not bool(value == value)
    except (TypeError, ValueError):
        return not is_many(value)


def _read(name: str, value: Any) -> Any:
    """Parse a cell's text as the field's value; invalid text is returned unchanged, to be reported later."""
    value, parameter = plain(value), declared().get(name)
    if parameter is None:
        return value
    kind = KINDS[parameter.type]
    if isinstance(value, float) and value.is_integer() and not kind.fits(value) and kind.fits(int(value)):
        return int(value)  # pandas converts integers to floats if the column has an empty cell
    if not isinstance(value, str):
        return value
    plain_text = value.strip().strip(_INVISIBLE)
    for text in (plain_text, *_as_spreadsheets_write(plain_text, parameter.choices)):
        try:
            read = parsed(parameter, text)
        except ValueError:
            continue
        if not isinstance(read, str) or (text != plain_text and read in parameter.choices):
            return value if _is_deep(read) else read  # text keeps its blanks
    return value


def _as_spreadsheets_write(text: str, choices: Sequence[Any]) -> Iterable[str]:
    """Return other spellings of a number or a choice, where a spreadsheet means only that by its text."""
    text = text.removeprefix("'").replace("：", ":")
    yield text
    if whole := _INTEGER.fullmatch(text):
        yield whole[1]
    if _DECIMAL.fullmatch(text):
        yield text.replace(",", ".")
    if time := _TIME.fullmatch(text):
        yield f"{time[1]}:{time[2]}"
    yield from (str(choice) for choice in choices if str(choice).casefold() == text.casefold())


def _is_deep(value: Any, levels: int = _MAX_DEPTH) -> bool:
    """Return True if a value is nested deeper than any parameter, since deeper recursion fails in Python."""
    if not isinstance(value, list | dict):
        return False
    return levels == 0 or any(
        _is_deep(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value)
    )
