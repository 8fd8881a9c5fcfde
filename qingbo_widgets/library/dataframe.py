"""Rows as a pandas DataFrame; the columns that tables of tasks have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..i18n import N_, tr
from ..service.contract.models import declared
from ..service.contract.request import VideoRequest

if TYPE_CHECKING:
    import pandas

__all__ = ["dataframe", "request_columns"]

_NO_PANDAS = N_("to_dataframe() needs pandas: pip install pandas")
_FIRST = ("task_id", "model", "prompt")


def request_columns(request: VideoRequest) -> dict[str, Any]:
    """Return the columns of a request: every field that is set or has a default, by name.

    ``prompt`` has the shots' prompts in its place, and ``duration`` the sum of their seconds.
    """
    values = {name: value for name, value in request.values().items() if value not in (None, (), "")}
    return values | {"prompt": "\n".join(request.prompts), "duration": request.seconds}


def dataframe(rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame: ids first, then the fields of requests, then all else.

    Args:
        rows: each a mapping of columns to values.
        like: has the columns that there are in any case.

    Raises:
        ImportError: pandas is not installed; the message says how.
    """
    try:
        import pandas
    except ImportError:
        raise ImportError(tr(_NO_PANDAS)) from None
    named = dict.fromkeys(name for row in (like, *rows) for name in row)
    fields = [name for name in declared() if name in named and name not in _FIRST]
    first = [name for name in _FIRST if name in named]
    others = [name for name in named if name not in (*first, *fields)]
    return pandas.DataFrame(list(rows), columns=[*first, *fields, *others])
