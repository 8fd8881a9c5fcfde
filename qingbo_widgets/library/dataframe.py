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

__all__ = ["columns_of", "dataframe", "dataframe_of", "request_columns"]

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
    return dataframe_of(columns_of(rows, like))


def columns_of(rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return rows as columns; a row that lacks a column has NaN there.

    Args:
        rows: as in ``dataframe``.
        like: as in ``dataframe``.
    """
    names = dict.fromkeys(name for row in (like, *rows) for name in row)
    return {name: [row.get(name, math.nan) for row in rows] for name in names}


def dataframe_of(columns: Mapping[str, Sequence[Any]]) -> pandas.DataFrame:
    """Return columns of equal length as a DataFrame, in the order of ``dataframe``.

    Raises:
        ImportError: as in ``dataframe``.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    names = dict.fromkeys((*_FIRST, *VideoRequest.field_names(), *columns))
    lacking = [math.nan] * max(map(len, columns.values()), default=0)
    return pandas.DataFrame({name: columns.get(name, lacking) for name in names})
