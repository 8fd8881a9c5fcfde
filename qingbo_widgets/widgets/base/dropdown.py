"""Selections in which ``None`` may be an option like any other."""

from __future__ import annotations

from typing import Any

from . import ipw

__all__ = ["Dropdown", "ToggleButtons"]


class _ShowsNone(ipw.Selection):
    """A mixin that shows the option whose value is ``None``, where ipywidgets shows nothing."""

    def __init__(self, *arguments: Any, **traits: Any) -> None:
        super().__init__(*arguments, **traits)
        self._show_none()
        self.observe(lambda _: self._show_none(), ["index", "options"])

    def _show_none(self) -> None:
        if self.index is None:
            values = [value for _, value in self.options]
            if self.value is None and None in values:
                self.index = values.index(None)


class Dropdown(_ShowsNone, ipw.Dropdown):
    """A dropdown, see ``_ShowsNone``."""


class ToggleButtons(_ShowsNone, ipw.ToggleButtons):
    """A row of buttons of which one is pressed, see ``_ShowsNone``."""
