"""The table of all tasks of a library, as a pandas DataFrame."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..service.contract.snapshot import TaskStatus
from ..system.folder import Folder
from .dataframe import dataframe_of, import_pandas, repeated, request_columns
from .entry import Entry, prompt_in
from .journal.journal import Journal
from .journal.rows import LONG_AGO
from .journal.task_columns import KeptPrice, TaskColumns, kept_prices, task_columns
from .judgements import Judgements
from .lengths import as_seconds
from .moments import moments
from .request_templates import RequestColumns
from .requests import readable_part_of

if TYPE_CHECKING:
    import pandas

__all__ = ["to_dataframe"]

_NO_PRICE = KeptPrice(None, None, None)
_COMPLETED = TaskStatus.completed.value


def to_dataframe(journal: Journal, folder: Path) -> pandas.DataFrame:
    """Return one row per task: the request's fields, the outcome, and the user's judgement.

    Raises:
        ImportError: pandas is not installed; the message has the command that installs it.
    """
    import_pandas()  # before a long read, if it is missing
    with _no_collection():
        columns = _read(journal)
        outcome = _outcome(columns, Judgements(journal), _prices(journal), folder)
        requests = _requests(columns, frozenset(outcome))
        per_second = [*map(_per_second, columns.status, columns.cost, requests["duration"])]
        return dataframe_of({**requests, **outcome, "cost_per_second": per_second})


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would look at millions of new values again and again."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


def _read(journal: Journal) -> TaskColumns:
    if not journal.exists:
        return TaskColumns()
    with journal.begin() as connection:
        return task_columns(connection)


def _prices(journal: Journal) -> Mapping[str, KeptPrice]:
    if not journal.exists:
        return {}
    with journal.begin() as connection:
        return kept_prices(connection)


def _requests(columns: TaskColumns, without: frozenset[str]) -> dict[str, Any]:
    """Return the columns of the requests, except for some, which are only in their place."""
    requests = RequestColumns(_request_columns, without)
    for model, contract, request in zip(columns.model, columns.contract, columns.request, strict=True):
        requests.add(model, contract, request)
    like = _request_columns(Entry(key="", service=""))
    names = dict.fromkeys((*like, *requests.names))
    if not requests.numbers:
        return {name: [] for name in names}
    found: dict[str, Any] = {}
    for name in names:
        if name in without:
            found[name] = None
        elif (of_kinds := requests.kinds(name)) is None:
            found[name] = requests.values(name)
        else:
            found[name] = repeated(of_kinds, requests.numbers)
    return found


def _request_columns(entry: Entry) -> Mapping[str, Any]:
    return request_columns(readable_part_of(entry), entry.contract)


def _outcome(
    columns: TaskColumns,
    judgements: Judgements,
    prices: Mapping[str, KeptPrice],
    folder: Path,
) -> dict[str, Any]:
    """Return the columns besides those of the request fields. Rows as mappings take longer."""
    known = [prices.get(key, _NO_PRICE) for key in columns.key]
    ratings, tags, notes = judgements.columns(columns.key)
    return {
        "task_id": columns.task_id,
        "model": columns.model,
        "prompt": _prompts(columns.request),
        "status": columns.status,
        "submitted_at": moments(columns.submitted_at, if_missing=LONG_AGO),
        "created_at": moments(columns.created_at),
        "completed_at": moments(columns.completed_at),
        "cost": columns.cost,
        "frozen": columns.frozen,
        "billing_status": columns.billing_status,
        "price": [price for price, _, _ in known],
        "price_source": [source for _, source, _ in known],
        "price_at": moments([at for _, _, at in known]),
        "rating": ratings,
        "tags": tags,
        "note": notes,
        "video": _videos(folder, columns.file),
        "error": [None if error is None else error.get("message") for error in columns.error],
        "request": [{} if request is None else request for request in columns.request],
        "key": columns.key,
    }


def _per_second(status: str, cost: int | None, seconds: object) -> float | None:
    """Return the cost of a second of video, in quota as the cost; ``None`` if it is not known."""
    length = as_seconds(seconds)
    return cost / length if length and cost and status == _COMPLETED else None


def _prompts(requests: Sequence[Mapping[str, Any] | None]) -> list[str]:
    return [
        prompt
        if request is not None and type(prompt := request.get("prompt")) is str and prompt
        else prompt_in(request)
        for request in requests
    ]


def _videos(folder: Path, names: Sequence[str | None]) -> list[Path | None]:
    """Return the paths of videos as ``Folder.place`` does, which would look at each file on its own."""
    files: set[str] = set()
    with suppress(OSError), os.scandir(folder) as entries:
        files = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
    place = Folder(folder).place
    return [None if name is None else folder / name if name in files else place(name) for name in names]
