"""Validation of ``manager`` arguments."""

from __future__ import annotations

from ...i18n import tr

__all__ = ["is_manager", "no_manager"]


def is_manager(value: object) -> bool:
    """Return True if the value is a manager, or ``None``, which stands for the default manager."""
    if value is None:
        return True
    from ...tasks.manager import TaskManager

    return isinstance(value, TaskManager)


def no_manager(kind: str) -> TypeError:
    """Return the error for a value of this type, without the value itself, which may be a key."""
    return TypeError(
        tr("manager must be a TaskManager, such as connect() returns, not {kind}").format(kind=kind)
    )
