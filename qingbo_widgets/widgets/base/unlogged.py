"""Keeping what is typed out of Jupyter's log, which at DEBUG holds every message of the page whole.

A filter counts for the logger that it is added to. These are the loggers of the kernel and of the widgets'
channel. A debugger of the network, ``Session.debug``, and the log of a proxy of Jupyter are out of reach.
"""

from __future__ import annotations

import logging

import ipywidgets
from IPython.core.getipython import get_ipython

from ...service.secrets.known_keys import holds_key

__all__ = ["keep_out_of_the_log"]

#: The loggers that write messages down: of the widgets' channel, of the kernel, and of a kernel without its
#: application.
_LOGGERS = ("Comm", "IPKernelApp", "traitlets")


class _Discreet(logging.Filter):
    """Drops records about some widgets, and records with a known key."""

    def __init__(self) -> None:
        super().__init__()
        self.models: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record may be written."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # logging itself reports it, with its arguments
            message = f"{record.msg} {record.args}"
        is_secret = any(model in message for model in tuple(self.models))
        # In the message an invisible letter is spelt out; in the arguments it is itself.
        return not (is_secret or holds_key([message, record.args]))


_discreet = _Discreet()


def keep_out_of_the_log(widget: ipywidgets.Widget) -> None:
    """Let Jupyter log no message of this widget, nor one with a known key. A closed widget counts too."""
    _discreet.models.add(widget.model_id)
    kernel = getattr(get_ipython(), "kernel", None)
    own = getattr(getattr(kernel, "log", None), "name", None)
    for name in (*_LOGGERS, *([own] if isinstance(own, str) else [])):
        logging.getLogger(name).addFilter(_discreet)
