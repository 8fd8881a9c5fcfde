"""What was typed into a form survives: running its cell again, another kernel, a reload of the page.

A draft belongs to the cell that made the form. It is remembered in this kernel at once, and written into the
library's folder a moment later. No key is ever in it: a form has none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from IPython.core.getipython import get_ipython

from ...library.presets import Draft, Presets
from ..base.sync import refresher
from .loading import fields_of, fill
from .state import FormState

__all__ = ["DraftKeeper", "cell_key"]

logger = logging.getLogger("qingbo_widgets")

#: Seconds between a change and its being on disk, so that not every letter is written.
PAUSE = 1.0

_remembered: dict[tuple[str, str], Draft] = {}


def cell_key() -> str | None:
    """The id of the cell that runs, which Jupyter keeps for as long as there is the cell.

    Returns:
        ``"notebook"`` where the front end tells no id, ``None`` outside a notebook.
    """
    shell = get_ipython()
    parent = getattr(shell, "get_parent", lambda: None)()
    if not isinstance(parent, Mapping):
        return None
    metadata = parent.get("metadata")
    cell = metadata.get("cellId") if isinstance(metadata, Mapping) else None
    return cell if isinstance(cell, str) and cell else "notebook"


class DraftKeeper:
    """Keeps the draft of one form. Where the code that made the form has changed since, the code counts.

    Args:
        form: the form.
        presets: of the library.
        key: of the cell.
    """

    def __init__(self, form: FormState, presets: Presets, key: str) -> None:
        self._form, self._presets, self._key, self._given = form, presets, key, form.given
        self._pending = False
        self._closed = False
        self._restore()
        form.observe(self._note, list(form.field_names))

    def close(self) -> None:
        """Keep nothing more; what is to be written is written now."""
        if not self._closed:
            self._closed = True
            self._form.unobserve(self._note, list(self._form.field_names))
            self._write()

    def _restore(self) -> None:
        draft = _remembered.get(self._place) or self._presets.draft(self._key)
        if draft is None:
            return
        before, now, fields = self._chosen(draft.given), self._chosen(self._given), dict(draft.fields)
        if before.get("model") != now.get("model"):
            fields = self._chosen(fields)  # what stands at a default goes on to that of the other model
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        fields |= {name: self._given.get(name) for name in changed}
        fill(self._form, {name: value for name, value in fields.items() if value is not None})

    def _chosen(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model and what differs from its defaults, which a draft of version 0.1.0 leaves out."""
        model = fields.get("model", self._form.default("model"))
        defaults = self._form.defaults(model)
        chosen = {name: value for name, value in fields.items() if value != defaults.get(name)}
        return {**chosen, "model": model}

    @property
    def _place(self) -> tuple[str, str]:
        return str(self._presets.folder), self._key

    def _note(self, _: Any) -> None:
        _remembered[self._place] = Draft(fields_of(self._form), self._given)
        if not self._pending:
            self._pending = True
            refresher.later(PAUSE, self._write)

    def _write(self) -> None:
        with self._presets.writing:  # who closes waits for a writing that is under way
            if not self._pending:
                return
            self._pending = False
            try:
                self._presets.keep_draft(self._key, _remembered[self._place])
            except OSError:  # it lives in this kernel all the same
                logger.warning("The draft in %s cannot be written", self._presets.folder, exc_info=True)
