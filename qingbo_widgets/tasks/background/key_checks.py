"""Checks of API keys in the background, before there is a manager with threads of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ...exceptions import QingboError
from ...service.client import Client
from ...service.key_check import KeyCheck, Verdict
from ...system.forks import renew_in_children
from .pool import DaemonPool

__all__ = ["key_checks"]

logger = logging.getLogger("qingbo_widgets")


class KeyChecks:
    """The threads that check keys; one instance for all fields of the process."""

    def __init__(self) -> None:
        self.renew_in_child()
        renew_in_children(self)

    def renew_in_child(self) -> None:
        """Use new threads in a forked process: those of the parent are not there."""
        self._pool = DaemonPool(1, "qingbo-key-check", grows=True)

    def check(self, client: Client, callback: Callable[[KeyCheck], object]) -> None:
        """Ask the service whether it knows the key of a client, and call back: on another thread if any."""
        try:
            self._pool.submit(self._run, client, callback)
        except QingboError as error:
            callback(KeyCheck(Verdict.unclear, str(error)))

    @staticmethod
    def _run(client: Client, callback: Callable[[KeyCheck], object]) -> None:
        try:
            result = client.check_key()
        except Exception as error:  # a bug of ours must not leave a field that waits for ever
            logger.exception("The key could not be checked")
            result = KeyCheck(Verdict.unclear, type(error).__name__)
        callback(result)


#: The shared instance for all fields of this process.
key_checks = KeyChecks()
