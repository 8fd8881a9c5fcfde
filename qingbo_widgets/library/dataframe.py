"""Conversion of rows to a pandas DataFrame, and the columns that all task tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..i18n import N_, tr
from ..service.contract.models import models_under
from ..service.contract.request import VideoRequest
from ..service.contract.resolve import resolve

if TYPE_CHECKING:
    import pandas

__all__ = ["dataframe", "request_columns"]

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
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    columns = dict.fromkeys((*_FIRST, *VideoRequest.field_names()))
    columns |= dict.fromkeys(name for row in (like, *rows) for name in row)
    return pandas.DataFrame(list(rows), columns=list(columns))
