"""Validation of ``manager`` arguments."""

from __future__ import annotations

__all__ = ["is_manager", "no_manager"]


def is_manager(value: object) -> bool:
    """Return whether a value is a manager, or ``None``, which stands for the default one."""
    if value is None:
        return True
    from ...tasks.manager import TaskManager

    return isinstance(value, TaskManager)


def no_manager(kind: str) -> TypeError:
    """Return the error for something of a type that is no manager. It is not shown: it may be a key."""
    return TypeError(f"manager must be a TaskManager, as connect() returns one, not {kind}")
