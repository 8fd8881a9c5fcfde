"""The few names of higher rooms that lower ones call: ``task.show()`` makes a card; tasks know no widgets.

Each is a dotted name, like an entry point, and is imported when it is called. Nothing else imports upwards.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["FramePicker", "Late", "export_sweep", "export_task", "show_sweep", "show_task"]


class Late:
    """A callable of another module, imported when it is called.

    Args:
        name: ``package.module:attribute``, relative to this package.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self) -> Any:
        """Import the module and return its attribute."""
        module, _, attribute = self.name.partition(":")
        return getattr(import_module(f".{module}", __package__), attribute)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call it."""
        return self.load()(*args, **options)


show_task = Late("widgets.card.task_card:show")
export_task = Late("widgets.export:export_task")
show_sweep = Late("widgets.sweep.sweep_grid:show")
export_sweep = Late("widgets.export:export_sweep")
FramePicker = Late("widgets.studio.frame_picker:FramePicker")
