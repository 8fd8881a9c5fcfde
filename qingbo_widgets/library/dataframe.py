"""Conversion of rows to a pandas DataFrame, and the columns that all task tables share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..i18n import N_, tr
from ..service.contract.models import models_under
from ..service.contract.request import VideoRequest
from ..service.contract.resolve import resolve

if TYPE_CHECKING:
    import pandas

__all__ = ["dataframe", "dataframe_of", "import_pandas", "repeated", "request_columns"]

_NO_PANDAS = N_("to_dataframe() needs pandas: pip install pandas")
_FIRST = ("task_id", "model", "prompt")


def request_columns(request: VideoRequest, contract: str) -> dict[str, Any]:
    """Return the columns of a request: what is sent under a contract, by the names of that contract.

    For a multi-shot request, ``prompt`` holds the shots' prompts, one per line, and ``duration`` the sum of
    their seconds. A duration of 0, which leaves the length to the input video, is ``None``; one that is not a
    number of seconds is returned unchanged.

    Args:
        request: the request.
        contract: the date of the contract of its task; an unknown one counts as that of the request's names.
    """
    resolved = resolve(request.given, models_under(contract, request.given))
    seconds = request.seconds_as_given if request.is_multi_shot else resolved.values["duration"]
    return resolved.sent | {"prompt": "\n".join(request.prompts), "duration": seconds or None}


def dataframe(rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame: id, model and prompt first, then every request field, then the rest.

    Args:
        rows: mappings of column names to values.
        like: a row whose columns are always present, besides the request fields.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    names = dict.fromkeys(name for row in (like, *rows) for name in row)
    return dataframe_of({name: [row.get(name, math.nan) for row in rows] for name in names})


def dataframe_of(columns: Mapping[str, Any]) -> pandas.DataFrame:
    """Return columns of equal length as a DataFrame, in the order of ``dataframe``.

    Raises:
        ImportError: as in ``dataframe``.
    """
    pandas = import_pandas()
    names = dict.fromkeys((*_FIRST, *VideoRequest.field_names(), *columns))
    length = max(map(len, columns.values()), default=0)
    # NaN alone is repeated for each row, but an empty table has no rows.
    lacking: Any = math.nan if length else []
    return pandas.DataFrame({name: columns.get(name, lacking) for name in names})


def repeated(values: Sequence[Any], numbers: Sequence[int]) -> Any:
    """Return a column of few different values, of the type that pandas gives a list of all of them.

    Args:
        values: the values, each of which occurs in the column.
        numbers: for each row, the place of its value in ``values``.

    Raises:
        ImportError: as in ``dataframe``.
    """
    return import_pandas().Series(values).take(numbers).array


def import_pandas() -> Any:
    """Return the module pandas.

    Raises:
        ImportError: as in ``dataframe``.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    return pandas
