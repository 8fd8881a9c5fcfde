"""The few names of higher layers that lower layers call: ``task.show()`` makes a card.

``tasks`` must not import ``widgets``, so each of these is a dotted name, like an entry point, imported when
it is called. Nothing else imports upwards.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = [
    "FramePicker",
    "LazyCallable",
    "current_contract",
    "export_sweep",
    "export_task",
    "manager_mimebundle",
    "price_of",
    "promote_sweep",
    "read_film",
    "redraw_displays",
    "rendered_traceback",
    "send_displays",
    "show_manager",
    "show_sweep",
    "show_task",
    "sweep_mimebundle",
    "sweep_text",
    "task_mimebundle",
    "task_text",
    "watch_sweep",
    "watch_task",
]


class LazyCallable:
    """A callable in another module, imported on call.

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
        """Import the callable, call it, and return its result."""
        return self.load()(*args, **options)

    def call_if_imported(self, *args: Any) -> None:
        """Call it if its module has been imported; otherwise there is nothing that it could act on."""
        module = self.name.partition(":")[0]
        if f"{__package__}.{module}" in sys.modules:
            self(*args)


price_of = LazyCallable("tasks.account:price_of")
promote_sweep = LazyCallable("tasks.sweep.promote:promote")
current_contract = LazyCallable("tasks.connection:current_contract")
rendered_traceback = LazyCallable("system.tracebacks:rendered")
show_task = LazyCallable("widgets.card.shown:show")
task_text = LazyCallable("widgets.card.plain:plain_text")
task_mimebundle = LazyCallable("widgets.card.shown:mimebundle")
export_task = LazyCallable("widgets.export:export_task")
redraw_displays = LazyCallable("widgets.base.output:redraw_displays")
send_displays = LazyCallable("widgets.base.output:send_displays")
show_manager = LazyCallable("widgets.card.connection_view:show")
manager_mimebundle = LazyCallable("widgets.card.connection_view:mimebundle")
show_sweep = LazyCallable("widgets.sweep.sweep_grid:show")
sweep_text = LazyCallable("widgets.sweep.static_copy:plain_text")
sweep_mimebundle = LazyCallable("widgets.sweep.static_copy:mimebundle")
export_sweep = LazyCallable("widgets.export:export_sweep")
watch_task = LazyCallable("widgets.base.notify:watch_unshown")
watch_sweep = LazyCallable("widgets.base.notify:watch_unshown_sweep")
FramePicker = LazyCallable("widgets.studio.frame_picker:FramePicker")
read_film = LazyCallable("widgets.studio.frame_picker:read_film")
