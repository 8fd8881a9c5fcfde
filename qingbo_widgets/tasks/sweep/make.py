"""``sweep``: makes a sweep of many videos from one call, or finds the one that the library has."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...i18n import tr
from ...library.requests import read_request
from ...library.sweeps import CellRow, SweepRow, Sweeps
from ...service.secrets.known_keys import hide
from ...system.console import say
from ...system.host import warn
from ..connection import current
from ..manager import TaskManager
from .grid import make_grid
from .plain import announced, as_json
from .state import MAX_RUNNING
from .sweep import ASK, Sweep

__all__ = ["sweep"]


def sweep(
    table: object = None,
    *,
    name: str | None = None,
    repeat: int = 1,
    max_running: int | None = None,
    ask_above: int | None = None,
    skip_invalid: bool = False,
    manager: TaskManager | None = None,
    **fields: Any,
) -> Sweep:
    """Render every combination of the values given. Prints how many tasks that is before it sends any.

    More than ``ask_above`` tasks are not sent: the sweep waits for its button in the notebook, or for
    ``start()``. A name that the library knows gives that sweep again if its requests are the same, so a cell
    can be run twice.

    Args:
        table: rows that belong together: a CSV file, a DataFrame, or a list of prompts, dictionaries or
            requests.
        name: under which the library keeps it; made of the time when left out.
        repeat: how many times each combination is rendered.
        max_running: how many tasks may be unfinished at once; 4, or what it was for a sweep that is known.
        ask_above: how many tasks at most are submitted unasked; by default the manager's setting.
        skip_invalid: leave out combinations that a model does not take, instead of raising.
        manager: the default one when left out.
        **fields: as in ``VideoRequest``; a list varies a field, the last one fastest.

    Raises:
        InvalidRequest: the service would refuse some combinations; nothing was sent.
        TypeError, ValueError: a field that does not exist, nothing to make, or a name that is taken.
        MissingApiKey: nothing has connected, and there is no key.
    """
    contract = None if manager is None else manager.client.contract.name
    grid = make_grid(table, repeat=repeat, skip_invalid=skip_invalid, contract=contract, **fields)
    manager = manager or current()
    rows = [CellRow(as_json(one.values), one.request.as_dict()) for one in grid.combinations]
    kept, name = Sweeps(manager.library.journal, manager.service), name and hide(name)
    if name and (known := kept.get(name)) is not None:
        return _take_up(manager, known, rows, max_running)
    places = max_running or MAX_RUNNING
    for message in dict.fromkeys(
        advice.message for one in grid.combinations for advice in one.request.warnings(contract)
    ):
        warn(message)
    name = name or f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    made = Sweep(manager, name, as_json(grid.axes), rows, skipped=grid.skipped, max_running=places)
    if not made.keep(rows) and (known := kept.get(name)) is not None:  # another kernel or thread was quicker
        return _take_up(manager, known, rows, max_running)
    limit = manager.ask_above if ask_above is None else ask_above
    asks = len(rows) > limit
    say(announced(grid, name, places, tr(ASK) if asks else ""))  # before anything is sent
    return made if asks else made.start()


def _take_up(
    manager: TaskManager, known: SweepRow, rows: Sequence[CellRow], max_running: int | None
) -> Sweep:
    """Return the sweep that the library has of this name, if its requests are these."""
    if [read_request(cell.request) for cell in known.cells] != [read_request(row.request) for row in rows]:
        message = tr(
            "the library has another sweep {name!r}: choose another name, or take that one up with "
            "qw.Sweep.resume({name!r})"
        )
        raise ValueError(message.format(name=known.name))
    found = Sweep.resume(known.name, manager=manager)
    found.max_running = max_running or found.max_running
    return found
