"""Rows as a pandas DataFrame; the columns that tables of tasks have in common."""

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

    ``prompt`` has the shots' prompts in its place, and ``duration`` the sum of their seconds. A duration that
    is no number of seconds stands as it is.
    """
    values = {name: value for name, value in request.values().items() if value not in (None, (), "")}
    return values | {"prompt": "\n".join(request.prompts), "duration": _seconds(request)}


def dataframe(rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame: ids first, then every field of a request, then all else.

    Args:
        rows: each a mapping of columns to values.
        like: has the columns that there are in any case, besides the fields.

    Raises:
        ImportError: pandas is not installed; the message says how.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    named = dict.fromkeys((*_FIRST, *VideoRequest.field_names()))
    named |= dict.fromkeys(name for row in (like, *rows) for name in row)
    return pandas.DataFrame(list(rows), columns=list(named))


def _seconds(request: VideoRequest) -> Any:
    """Return the length of the video as the request has it, which may be a fraction or no length at all."""
    if not request.is_multi_shot:
        return request.duration
    shots = request.shots if isinstance(request.shots, tuple) else ()
    lengths = [getattr(shot, "duration", None) for shot in shots]
    return sum(
        length for length in lengths if isinstance(length, int | float) and not isinstance(length, bool)
    )
