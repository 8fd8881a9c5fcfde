"""The key in the system's keyring, which may wait for a user who does not see that it is locked."""

from __future__ import annotations

import time

from ...system.flags import Flag
from ...system.forks import run_in_children
from ...system.threads import start_thread
from .secret import KEYRING, Secret

__all__ = ["PATIENCE", "is_silent", "key_in_keyring"]

#: Seconds to wait for the keyring. One that is unlocked answers in a fraction of a second.
PATIENCE = 3.0
#: ``keyring set qingbo_widgets api_key`` on the command line stores the key in this entry.
_ENTRY = ("qingbo_widgets", "api_key")


class _Lookup:
    """One lookup, on a thread that nothing waits for at the end of the process.

    Attributes:
        key: the key, once ``is_done``; blank if there is none.
    """

    def __init__(self) -> None:
        self.key = Secret("")
        self.is_done = Flag()
        self._began = time.monotonic()

    def start(self) -> None:
        """Begin the lookup.

        Raises:
            QingboError: no thread can be started.
        """
        start_thread("qingbo-keyring", self._run)

    def _run(self) -> None:
        try:
            import keyring  # looks for its backend, on a bus that may not answer either

            key = Secret(keyring.get_password(*_ENTRY) or "", KEYRING)
            self.key = key if key.is_text else Secret("")
        except BaseException:  # not installed, no backend, locked, refused, a bug of a backend
            pass  # the keyring is only one source of several
        finally:
            self.is_done.set()

    def wait(self) -> bool:
        """Wait until ``PATIENCE`` seconds after the start; return whether the keyring has answered."""
        return self.is_done.wait(max(0.0, self._began + PATIENCE - time.monotonic()))


#: The lookup that was not answered in time.
_pending: _Lookup | None = None


def key_in_keyring() -> Secret:
    """Return the key in the keyring; a blank one if there is none, or no answer within ``PATIENCE`` seconds.

    A keyring that has not answered yet is not asked a second time, and not waited for again: a later call
    uses its late answer.

    Raises:
        QingboError: no thread can be started, and a key in the keyring must not be taken for missing.
    """
    global _pending
    lookup = _pending
    if lookup is None:
        lookup = _Lookup()
        lookup.start()
        _pending = lookup
    if not lookup.wait():
        return Secret("")
    _pending = None
    return lookup.key


def is_silent() -> bool:
    """Return whether a lookup was not answered yet."""
    lookup = _pending
    return lookup is not None and not lookup.is_done.is_set()


def _forget() -> None:
    """Forget the lookup in a forked child, which has no thread that could answer it."""
    global _pending
    _pending = None


run_in_children(_forget)
