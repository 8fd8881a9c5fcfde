"""Drafts: form input that survives running the cell again, a new kernel, and a reload of the page.

A draft belongs to the form that a cell of a notebook has created. It is stored in this kernel immediately,
and written to the library's folder a moment later. It never contains an API key, because a form holds none.

Without a page (nbclient, papermill) there are no drafts, so that such a run depends on the notebook alone.
If the notebook's path is not known, the draft is kept in this kernel only: on disk, it could not be
distinguished from that of a copy of the notebook, which has the same cell ids.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...library.presets import Draft, DraftOwner, Presets, file_id_of
from ...service.contract.request import VideoRequest
from ...system.host import running_cell, running_source
from ...system.notebook import notebook_place
from ..base.sync import refresher
from .loading import draft_of, fill, unsent_in, unsent_of
from .state import FormState

__all__ = ["DraftKeeper", "owner_of_new_form", "stored_owner"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between a change and writing it to disk, so that not every letter causes a write.
PAUSE = 1.0

#: VS Code's ids count the cells when a notebook is opened: tomorrow, another cell may have this one's.
_VSCODE = "vscode-notebook-cell:"

_remembered: dict[tuple[str, DraftOwner], Draft] = {}
#: The latest run of each cell, and the number of forms that it has created.
_forms: dict[str, tuple[str, int]] = {}


def owner_of_new_form() -> DraftOwner | None:
    """Return the owner of the draft of a form that the running cell creates; ``None`` if no page runs it."""
    cell, run = running_cell()
    if not cell:
        return None
    latest, count = _forms.get(cell, ("", 0))
    number = count + 1 if run == latest else 1
    _forms[cell] = run, number
    file, code = notebook_place().file, ""
    if cell.startswith(_VSCODE):
        code = hashlib.sha256(running_source().encode(errors="surrogatepass")).hexdigest()[:16]
    if file is None:
        return DraftOwner("", cell, number)
    return DraftOwner(str(file), cell, number, file_id_of(file), code)


class DraftKeeper:
    """The keeper of one form's draft. Fields that the code has changed since take the code's value.

    Args:
        form: the form.
        presets: the presets of the library.
        owner: the notebook and the cell of the form.
    """

    def __init__(self, form: FormState, presets: Presets, owner: DraftOwner) -> None:
        self._form, self._presets = form, presets
        self._initial = VideoRequest(**form.given).as_dict()
        self._owner = stored_owner(owner, presets)
        self._pending = False
        self._closed = False
        _keepers.add(self)
        self._restore()
        form.observe(self._record)  # of every trait, because a form may change its contract and so its fields

    def close(self) -> None:
        """Stop recording, and write a pending draft immediately."""
        if not self._closed:
            self._closed = True
            self._form.unobserve(self._record)
            self.write_now()

    def _restore(self) -> None:
        draft = _remembered.get(self._place)
        if draft is None and self._owner.notebook:
            draft = self._presets.draft(self._owner)
        if draft is None:
            return
        before, now, fields = self._chosen(draft.initial), self._chosen(self._initial), dict(draft.fields)
        if before.get("model") != now.get("model"):
            fields = self._chosen(fields)  # fields at a default move to the other model's default
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        fields |= {name: self._initial.get(name) for name in changed}
        chosen = {name: value for name, value in fields.items() if value is not None}
        fill(self._form, chosen, unsent_in(draft.unsent))

    def _chosen(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model and the fields that differ from its defaults; 0.1.0 drafts omit the defaults."""
        model = fields.get("model", self._form.default("model"))
        defaults = self._form.defaults(model)
        chosen = {name: value for name, value in fields.items() if value != defaults.get(name)}
        return {**chosen, "model": model}

    @property
    def _place(self) -> tuple[str, DraftOwner]:
        return str(self._presets.folder), self._owner

    def _record(self, change: Any) -> None:
        if change["name"] not in self._form.field_names:
            return
        _remembered[self._place] = Draft(draft_of(self._form), self._initial, unsent_of(self._form))
        if not self._pending and self._owner.notebook:
            self._pending = True
            refresher.later(PAUSE, self.write_now)

    def write_now(self) -> None:
        """Write a pending draft."""
        with self._presets.write_lock:  # close() waits for a write that is running
            if not self._pending:
                return
            self._pending = False
            try:
                self._presets.save_draft(self._owner, _remembered[self._place])
            except OSError:  # the draft is still in this kernel's memory
                logger.warning("The draft in %s cannot be written", self._presets.folder, exc_info=True)


#: The keepers whose drafts may be pending.
_keepers: weakref.WeakSet[DraftKeeper] = weakref.WeakSet()


@atexit.register
def _write_all() -> None:
    """Write what was typed in the last second before the kernel was restarted or shut down."""
    for keeper in list(_keepers):
        keeper.write_now()


def stored_owner(owner: DraftOwner, presets: Presets) -> DraftOwner:
    """Return the owner as it is saved in a library: with the path of its notebook from there."""
    return replace(owner, notebook=_relative(owner.notebook, presets.folder))


def _relative(notebook: str, folder: Path) -> str:
    """Return the path of a notebook relative to the library, which may be moved together with it."""
    if not notebook:
        return ""
    try:
        return Path(os.path.relpath(os.path.realpath(notebook), os.path.realpath(folder))).as_posix()
    except ValueError:  # on another drive
        return notebook
