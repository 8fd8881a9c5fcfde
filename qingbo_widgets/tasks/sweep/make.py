"""``sweep``: creates a sweep of many videos in one call, or loads it from the library."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from ... import late
from ...i18n import tr
from ...library.requests import read_request
from ...library.sweeps import CellRow, SweepRow, Sweeps
from ...service.contract.frames import IMAGE
from ...service.contract.misspelt import check_names
from ...service.contract.offered import offers_fields
from ...service.secrets.known_keys import hide
from ...system.console import write_line
from ...system.host import warn
from ..connection import current, current_contract, default
from ..manager import TaskManager
from .grid import make_grid
from .plain import announcement, as_json
from .prices import price_sentence
from .state import MAX_RUNNING
from .sweep import ASK, Sweep

if TYPE_CHECKING:
    from ...service.contract.fields import SweptFields

__all__ = ["sweep"]


@offers_fields(varies=True)
def sweep(
    table: object = None,
    *,
    encoding: str | None = None,
    name: str | None = None,
    repeat: int = 1,
    max_running: int | None = None,
    ask_above: int | None = None,
    skip_invalid: bool = False,
    manager: TaskManager | None = None,
    **fields: Unpack[SweptFields],
) -> Sweep:
    """Render every combination of the given values. Print their number and price before sending any.

    More than ``ask_above`` tasks are not sent at once: the sweep waits for its button in the notebook, or for
    ``start()``. A name that is in the library returns that sweep if its requests are the same, so that a cell
    can be run twice.

    Args:
        table: a CSV file, a DataFrame, or a list of prompts, dictionaries or requests; the values of a row
            belong together.
        encoding: the encoding of the CSV file, for example ``"cp1252"``. By default it is detected; if it is
            not certain, the error shows how the first prompt reads in each.
        name: its name in the library; by default made from the time.
        repeat: number of times each combination is rendered.
        max_running: maximum number of unfinished tasks at a time; by default 4, or the saved value of an
            existing sweep.
        ask_above: maximum number of tasks submitted without confirmation; by default the manager's setting.
        skip_invalid: leave out combinations that a model does not accept, instead of raising.
        manager: the manager; by default the default one.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest.

    Raises:
        InvalidRequest: the service would refuse some combinations; nothing was sent.
        TypeError, ValueError: a field does not exist, there is nothing to generate, the name is taken, or the
            encoding of the file is not certain.
        MissingApiKey: there is no connection and no key.
    """
    spoken, known = current_contract(manager), manager or default()
    check_names("sweep()", fields, lambda: spoken.models, (*(sweep.__kwdefaults__ or ()), IMAGE))
    contract = spoken.name
    grid = make_grid(
        table,
        encoding=encoding,
        repeat=repeat,
        skip_invalid=skip_invalid,
        contract=contract,
        inputs=None if known is None else known.inputs,
        **fields,
    )
    manager = manager or current()
    rows = [CellRow(as_json(item.values), item.request.as_dict()) for item in grid.combinations]
    saved, name = Sweeps(manager.library.journal, manager.service), name and hide(name)
    if name and (existing := saved.get(name)) is not None:
        return _load(manager, existing, rows, max_running)
    limit = max_running or MAX_RUNNING
    for message in dict.fromkeys(
        advice.message for item in grid.combinations for advice in item.request.warnings(contract)
    ):
        warn(message)
    manager.inputs.tell(*(item.request for item in grid.combinations))
    name = name or f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    new = Sweep(manager, name, as_json(grid.axes), rows, skipped=grid.skipped, max_running=limit)
    if not new.save(rows) and (existing := saved.get(name)) is not None:  # another kernel or thread was first
        return _load(manager, existing, rows, max_running)
    threshold = manager.ask_above if ask_above is None else ask_above
    needs_start = len(rows) > threshold
    price = price_sentence(new.prices.total_within(new.cells))
    line = announcement(grid, name, limit, tr(ASK) if needs_start else "", price)
    write_line(line)  # before anything is sent
    late.watch_sweep.call_if_imported(new)
    return new if needs_start else new.start()


def _load(
    manager: TaskManager, existing: SweepRow, rows: Sequence[CellRow], max_running: int | None
) -> Sweep:
    """Return the library's sweep of this name if it has the same requests."""
    if [read_request(cell.request) for cell in existing.cells] != [read_request(row.request) for row in rows]:
        message = tr(
            "the library has a different sweep {name!r}: choose another name, or load that one with "
            "qw.Sweep.load({name!r})"
        )
        raise ValueError(message.format(name=existing.name))
    loaded = Sweep.load(existing.name, manager=manager)
    loaded.max_running = max_running or loaded.max_running
    late.watch_sweep.call_if_imported(loaded)
    return loaded
