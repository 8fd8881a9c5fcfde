"""``DeletedKeys``: the keys of deleted tasks, for a check before a missing row is written."""

from __future__ import annotations

from pathlib import Path

from .deletion_list import keys_in
from .trash import Trash

__all__ = ["DeletedKeys"]


class DeletedKeys:
    """The keys of the tasks in the trash of a library.

    The list of each deletion is read only once, unless it changes: it may have thousands of tasks.

    Args:
        folder: the folder of the library.
    """

    def __init__(self, folder: Path) -> None:
        self._trash = Trash(folder)
        #: For each deletion the version of its list, and the keys in that.
        self._lists: dict[str, tuple[object, frozenset[str]]] = {}

    def __contains__(self, key: object) -> bool:
        lists = {name: self._list(name) for name in self._trash.names}
        self._lists = lists  # without those that were restored or erased
        return any(key in keys for _, keys in lists.values())

    def _list(self, name: str) -> tuple[object, frozenset[str]]:
        version = self._trash.version(name)  # before the list, so that a later one is read again
        known = self._lists.get(name)
        if known is not None and known[0] == version:
            return known
        return version, frozenset(keys_in(self._trash.read(name) or {}))
