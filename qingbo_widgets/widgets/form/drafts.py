"""Drafts: form input that survives running the cell again, a new kernel, and a reload of the page.

A draft belongs to the cell that created the form. It is stored in this kernel immediately, and written to the
library's folder a moment later. It never contains an API key, because a form holds none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from IPython.core.getipython import get_ipython

from ...library.presets import Draft, Presets
from ..base.sync import refresher
from .loading import draft_of, fill
from .state import FormState

__all__ = ["DraftKeeper", "cell_key"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between a change and writing it to disk, so that not every letter causes a write.
PAUSE = 1.0

_remembered: dict[tuple[str, str], Draft] = {}


def cell_key() -> str | None:
    """Return the id of the running cell, which Jupyter keeps for the lifetime of the cell.

    Returns:
        The id, ``"notebook"`` if the front end sends no id, or ``None`` outside a notebook.
    """
    shell = get_ipython()
    parent = getattr(shell, "get_parent", lambda: None)()
    if not isinstance(parent, Mapping):
        return None
    metadata = parent.get("metadata")
    cell = metadata.get("cellId") if isinstance(metadata, Mapping) else None
    return cell if isinstance(cell, str) and cell else "notebook"


class DraftKeeper:
    """The keeper of one form's draft. Fields that the code has changed since take the code's value.

    Args:
        form: the form.
        presets: the presets of the library.
        key: the key of the cell.
    """

    def __init__(self, form: FormState, presets: Presets, key: str) -> None:
        self._form, self._presets, self._key, self._initial = form, presets, key, form.given
        self._pending = False
        self._closed = False
        self._restore()
        form.observe(self._record)  # of every trait, because a form may change its contract and so its fields

    def close(self) -> None:
        """Stop recording, and write a pending draft immediately."""
        if not self._closed:
            self._closed = True
            self._form.unobserve(self._record)
            self._write()

    def _restore(self) -> None:
        draft = _remembered.get(self._place) or self._presets.draft(self._key)
        if draft is None:
            return
        before, now, fields = self._chosen(draft.initial), self._chosen(self._initial), dict(draft.fields)
        if before.get("model") != now.get("model"):
            fields = self._chosen(fields)  # fields at a default move to the other model's default
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        fields |= {name: self._initial.get(name) for name in changed}
        fill(self._form, {name: value for name, value in fields.items() if value is not None})

    def _chosen(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model and the fields that differ from its defaults; 0.1.0 drafts omit the defaults."""
        model = fields.get("model", self._form.default("model"))
        defaults = self._form.defaults(model)
        chosen = {name: value for name, value in fields.items() if value != defaults.get(name)}
        return {**chosen, "model": model}

    @property
    def _place(self) -> tuple[str, str]:
        return str(self._presets.folder), self._key

    def _record(self, change: Any) -> None:
        if change["name"] not in self._form.field_names:
            return
        _remembered[self._place] = Draft(draft_of(self._form), self._initial)
        if not self._pending:
            self._pending = True
            refresher.later(PAUSE, self._write)

    def _write(self) -> None:
        with self._presets.write_lock:  # close() waits for a write that is running
            if not self._pending:
                return
            self._pending = False
            try:
                self._presets.save_draft(self._key, _remembered[self._place])
            except OSError:  # the draft is still in this kernel's memory
                logger.warning("The draft in %s cannot be written", self._presets.folder, exc_info=True)
