"""A filter that keeps typed text out of Jupyter's log, which at DEBUG contains every message of the page.

A filter applies only to the logger it is added to. These are the loggers of the kernel and of the widgets'
comm channel. A network debugger, ``Session.debug``, and the log of a proxy for Jupyter are out of reach.
"""

from __future__ import annotations

import logging

import ipywidgets
from IPython.core.getipython import get_ipython

from ...service.secrets.known_keys import holds_key

__all__ = ["keep_out_of_the_log"]

#: The loggers that log messages: of the widgets' comm channel, of the kernel, and of a kernel without an
#: application.
_LOGGERS = ("Comm", "IPKernelApp", "traitlets")


class _SecretFilter(logging.Filter):
    """A filter that drops records about some widgets, and records with a known key."""

    def __init__(self) -> None:
        super().__init__()
        self.secret_models: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record may be logged."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # logging itself reports the error, with the arguments
            message = f"{record.msg} {record.args}"
        is_secret = any(model in message for model in tuple(self.secret_models))
        # The message has escapes for invisible characters; the arguments have the characters themselves.
        return not (is_secret or holds_key([message, record.args]))


_secret_filter = _SecretFilter()


def keep_out_of_the_log(widget: ipywidgets.Widget) -> None:
    """Keep messages of this widget, even once closed, and messages with a known key out of Jupyter's log."""
    _secret_filter.secret_models.add(widget.model_id)
    kernel = getattr(get_ipython(), "kernel", None)
    kernel_logger = getattr(getattr(kernel, "log", None), "name", None)
    for name in (*_LOGGERS, *([kernel_logger] if isinstance(kernel_logger, str) else [])):
        logging.getLogger(name).addFilter(_secret_filter)
