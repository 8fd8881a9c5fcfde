"""Rating, tags and note of one video, as a person gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from ...exceptions import QingboError
from ...i18n import N_, tr
from ...library.judgements import RATINGS, Judgements, tags_in
from ..base import html as markup
from ..base.build import set_tooltip
from ..base.ipw import VBox
from ..base.sync import Echo, update
from ..base.text_fields import Text, Textarea

__all__ = ["NOTE_FIELD", "TAGS_FIELD", "Verdict", "rating_buttons"]

#: The classes of the two fields, for the keys that lead there.
TAGS_FIELD, NOTE_FIELD = "qingbo-tags", "qingbo-note-text"

_RATING_HELP = N_("0 is useless, 5 could not be better. The keys 0 to 5 do the same.")
_TAGS_HELP = N_("With commas between them: water, slow, for the talk")
_NOTE_HELP = N_("Whatever should be remembered of this video.")


class Verdict(VBox):
    """The rating, tags and note of one video. Each change is saved at once, or an error below says why not.

    Args:
        judgements: keeps them.
        judged: called after each change.

    Attributes:
        rating: the buttons ``–`` and 0 to 5.
        tags: the tags, with commas between them.
        note: the note.
    """

    def __init__(self, judgements: Judgements, judged: Callable[[], object]) -> None:
        self._judgements, self._judged = judgements, judged
        self._key: str | None = None
        self._echo = Echo()
        self.rating = rating_buttons(tr("Rating"))
        self.tags = Text(description=tr("Tags"), placeholder=tr("water, slow"), continuous_update=False)
        self.note = Textarea(description=tr("Note"), rows=2, continuous_update=False)
        for control, explained in (
            (self.rating, tr(_RATING_HELP)),
            (self.tags, tr(_TAGS_HELP)),
            (self.note, tr(_NOTE_HELP)),
        ):
            if control is not self.rating:
                control.style.description_width = "52px"
            control.layout.width = "auto"
            control.layout.max_width = "520px"
            set_tooltip(control, explained)
            control.observe(self._hear, "value")
        self._refusal = ipywidgets.HTML()
        self.tags.add_class(TAGS_FIELD)
        self.note.add_class(NOTE_FIELD)
        parts = [self.rating, self.tags, self.note, self._refusal]
        super().__init__(parts, layout={"overflow": "visible"})

    def show(self, key: str) -> None:
        """Show what is thought of a task."""
        judgement = self._judgements.of(key)
        self._key = key
        with self._echo, update(self.rating, self.tags, self.note, self._refusal):
            self._refusal.value = ""
            self.rating.value = judgement.rating
            self.tags.value = ", ".join(judgement.tags)
            self.note.value = judgement.note

    def press(self, key: str) -> bool:
        """Take a key of the keyboard: a digit rates, ``-`` takes the rating back.

        Returns:
            Whether it was one of those.
        """
        if key == "-":
            self.rating.value = None
        elif key in {str(stars) for stars in RATINGS}:
            self.rating.value = int(key)
        else:
            return False
        return True

    def _hear(self, change: Any) -> None:
        if self._echo or self._key is None:
            return
        try:
            if change["owner"] is self.rating:
                self._judgements.rate(self._key, change["new"])
            elif change["owner"] is self.tags:
                self._judgements.tag(self._key, tags_in(change["new"]))
            else:
                self._judgements.note(self._key, change["new"])
        except QingboError as error:  # a library that can only be looked at
            self.show(self._key)  # what is kept, and not what was pressed
            self._refusal.value = markup.note(error, "alarm")
            return
        self._judged()


def rating_buttons(description: str) -> Any:
    """The buttons ``–`` and 0 to 5."""
    return ipywidgets.ToggleButtons(
        options=[("–", None), *((str(stars), stars) for stars in RATINGS)],
        value=None,
        description=description,
        style={"button_width": "34px", "description_width": "52px"},
    )
