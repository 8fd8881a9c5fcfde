"""Times as a column of a pandas DataFrame, converted all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .dataframe import import_pandas
from .journal.tables import YEARS

__all__ = ["moments"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _END = (
    (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND for year in (YEARS[0], YEARS[-1] + 1)
)

#: Seconds whose microseconds fit an integer of 64 bits, with room to spare.
_MOST = 1e12


def moments(seconds: Sequence[Any], *, if_missing: datetime | None = None) -> Any:
    """Return times as pandas would convert a list of the datetimes that ``Moment`` reads.

    Args:
        seconds: Unix seconds. In a damaged row, any value; one that is no time of a task is missing.
        if_missing: the time to use in place of a missing one.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    pandas = import_pandas()
    if not len(seconds):
        return []
    numbers = pandas.Series(
        [value if type(value) in (float, int) else math.nan for value in seconds], dtype=float
    )
    numbers = numbers.where(numbers.abs() < _MOST)
    whole = numbers.fillna(0).astype("int64")
    fractions = numbers.fillna(0) - whole
    # Half to even, as fromtimestamp does.
    micros = whole * 1_000_000 + (1e6 * fractions).round().astype("int64")
    is_time = numbers.notna() & (micros >= _FIRST) & (micros < _END)
    if if_missing is not None:
        micros, is_time = micros.where(is_time, (if_missing - _EPOCH) // _MICROSECOND), is_time | True
    if not is_time.any():
        return [None] * len(seconds)
    usual = pandas.Series([_EPOCH]).dtype  # its unit differs between versions of pandas
    try:
        times = micros.where(is_time, 0).astype("datetime64[us]").dt.tz_localize(UTC).astype(usual)
    except pandas.errors.OutOfBoundsDatetime:  # before pandas 3, the year 2262 is the last one
        every = zip(micros, is_time, strict=True)
        return [_EPOCH + micro * _MICROSECOND if is_one else None for micro, is_one in every]
    return times.where(is_time).array
