"""``Rating``: the rating, tags and note of one video."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...library.judgements import RATINGS, Judgement, Judgements, parse_tags
from ..base import html as markup
from ..base.build import set_tooltip
from ..base.ipw import VBox
from ..base.rating_buttons import rating_buttons
from ..base.sync import Echo, update
from ..base.text_fields import Text, Textarea

__all__ = ["NOTE_FIELD", "TAGS_FIELD", "Rating"]

#: The CSS classes of the two fields, for the keys that focus them.
TAGS_FIELD, NOTE_FIELD = "qingbo-tags", "qingbo-note-text"

_RATING_HELP = N_("0 is the worst, 5 the best. The keys 0 to 5 do the same.")
_TAGS_HELP = N_("Separated by commas: water, slow, for the talk")
_NOTE_HELP = N_("Your notes about this video.")


class Rating(VBox):
    """The rating, tags and note of one video. Each change is saved at once; an error is shown below.

    Args:
        judgements: the judgements of the library.
        judged: called after each saved change.

    Attributes:
        rating: the buttons ``–`` and 0 to 5.
        tags: the field for the tags, separated by commas.
        note: the field for the note.
    """

    def __init__(self, judgements: Judgements, judged: Callable[[], object]) -> None:
        self._judgements, self._judged = judgements, judged
        self._key: str | None = None
        self._saved = Judgement()
        self._echo = Echo()
        self.rating = rating_buttons(tr("Rating"))
        self.tags = Text(description=tr("Tags"), placeholder=tr("water, slow"), continuous_update=False)
        self.note = Textarea(description=tr("Note"), rows=2, continuous_update=False)
        for control, tooltip in (
            (self.rating, tr(_RATING_HELP)),
            (self.tags, tr(_TAGS_HELP)),
            (self.note, tr(_NOTE_HELP)),
        ):
            if control is not self.rating:
                control.style.description_width = "52px"
            control.layout.width = "auto"
            control.layout.max_width = "520px"
            set_tooltip(control, tooltip)
            control.observe(self._save, "value")
        self._refusal = ipywidgets.HTML()
        self.tags.add_class(TAGS_FIELD)
        self.note.add_class(NOTE_FIELD)
        parts = [self.rating, self.tags, self.note, self._refusal]
        super().__init__(parts, layout={"overflow": "visible"})
        self.add_class("qingbo-judgement")

    def show(self, key: str) -> None:
        """Show the judgement of a task."""
        self._show(key, self._judgements.of(key))

    def _show(self, key: str, judgement: Judgement) -> None:
        self._key, self._saved = key, judgement
        with self._echo, update(self.rating, self.tags, self.note, self._refusal):
            self._refusal.value = ""
            self.rating.value = judgement.rating
            self.tags.value = ", ".join(judgement.tags)
            self.note.value = judgement.note

    def press(self, key: str) -> bool:
        """Handle a key: a digit sets the rating, ``-`` removes it.

        Returns:
            Whether the key was handled.
        """
        if key == "-":
            self.rating.value = None
        elif key in {str(stars) for stars in RATINGS}:
            self.rating.value = int(key)
        else:
            return False
        return True

    def _save(self, change: Any) -> None:
        if self._echo or self._key is None:
            return
        try:
            if change["owner"] is self.rating:
                self._judgements.rate(self._key, change["new"])
            elif change["owner"] is self.tags:
                self._judgements.tag(self._key, parse_tags(change["new"]))
            else:
                self._judgements.note(self._key, change["new"])
        except (QingboError, OSError) as error:  # a read-only library, or one that was removed
            self._show(self._key, self._saved)  # instead of the change, which would look saved
            with update(self._refusal):
                self._refusal.value = markup.note(error, "alarm")
            return
        self._saved = self._judgements.of(self._key)
        self._judged()
