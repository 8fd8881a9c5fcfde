"""The line below the video of a cell: its rating, and the button for everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ..base.build import button, set_expanded
from ..base.composite import CompositeMixin
from ..base.ipw import HBox
from ..base.rating_buttons import rating_buttons
from ..base.sync import Echo, update

if TYPE_CHECKING:
    from ...library.judgements import Judgements

__all__ = ["CellLine"]

_DETAILS = N_("Shows the request, the task id and the buttons for the video. Click again to hide them.")
_OPEN, _CLOSED = "caret-down", "caret-right"


class CellLine(CompositeMixin, HBox):
    """The rating of a cell's video, and the button that shows the details of its task.

    Args:
        judgements: the judgements of the library.
        key: the key of the task.
        act: runs the action of a click, and shows its error.
        toggled: called when ``is_open`` has changed.

    Attributes:
        rating: the buttons ``–`` and 0 to 5, once there is a video to rate.
        details_button: shows and hides the details.
        is_open: whether the details are shown.
    """

    children: Any  # for mypy, which has no types of the base class

    def __init__(
        self,
        judgements: Judgements,
        key: str,
        act: Callable[[Callable[[], object]], None],
        toggled: Callable[[], object],
    ) -> None:
        self._judgements, self._key, self._run, self._toggled = judgements, key, act, toggled
        self._echo, self.is_open = Echo(), False
        self.rating: Any = None
        self.details_button = button(
            tr("Details"), tr(_DETAILS), self._toggle, "qingbo-opens-details", "qingbo-small",
            shares_style=True, icon=_CLOSED,
        )  # fmt: skip
        super().__init__([self.details_button], layout={"flex_flow": "row wrap", "align_items": "center"})
        self.add_class("qingbo-cell-line")

    def offer_rating(self) -> None:
        """Show the rating of the saved video."""
        if self.rating is not None:
            return
        self.rating = rating_buttons(tr("Rating"), width="22px")
        self.rating.add_class("qingbo-stars")
        self.read_rating()
        self.rating.observe(lambda change: self._rate(change["new"]), "value")
        with update(self):
            self.children = (self.rating, self.details_button)

    def read_rating(self) -> None:
        """Show the rating that the library has."""
        with self._echo, update(self.rating):
            self.rating.value = self._judgements.of(self._key).rating

    def _rate(self, stars: int | None) -> None:
        if self._echo:
            return

        def save() -> None:
            try:
                self._judgements.rate(self._key, stars)
            finally:
                self.read_rating()  # one that could not be saved would look saved

        self._run(save)

    def _toggle(self) -> None:
        self.is_open = not self.is_open
        with update(self.details_button):
            self.details_button.icon = _OPEN if self.is_open else _CLOSED
            set_expanded(self.details_button, self.is_open)
        self._toggled()

    def _detached_parts(self) -> tuple[Any, ...]:
        return (self.rating, self.details_button)
