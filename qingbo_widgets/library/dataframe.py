"""Conversion of rows to a pandas DataFrame, and the columns that all task tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..i18n import N_, tr
from ..service.contract.request import VideoRequest

if TYPE_CHECKING:
    import pandas

__all__ = ["dataframe", "request_columns"]

_NO_PANDAS = N_("to_dataframe() needs pandas: pip install pandas")
_FIRST = ("task_id", "model", "prompt")


def request_columns(request: VideoRequest) -> dict[str, Any]:
    """Return the columns of a request: every field that is set or has a default, by name.

    For a multi-shot request, ``prompt`` holds the shots' prompts, one per line, and ``duration`` the sum of
    their seconds. A duration that is not a number of seconds is returned unchanged.
    """
    values = {name: value for name, value in request.values().items() if value not in (None, (), "")}
    return values | {"prompt": "\n".join(request.prompts), "duration": _seconds(request)}


def dataframe(rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame: id, model and prompt first, then every request field, then the rest.

    Args:
        rows: mappings of column names to values.
        like: a row whose columns are always present, besides the request fields.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    columns = dict.fromkeys((*_FIRST, *VideoRequest.field_names()))
    columns |= dict.fromkeys(name for row in (like, *rows) for name in row)
    return pandas.DataFrame(list(rows), columns=list(columns))


def _seconds(request: VideoRequest) -> Any:
    """Return the video's length in seconds as the request has it: maybe a fraction, maybe not a number."""
    return request.seconds_as_given
