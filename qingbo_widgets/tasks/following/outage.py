"""Failed status requests: the message for the user, and the point at which a refusal counts as final."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from ...exceptions import AuthenticationFailed, QingboError, RateLimited, ServiceError, TaskNotFound
from ...i18n import N_, sentences, tr
from ...system.times import local_time
from ..state import NextTry

__all__ = ["Outage"]

#: Seconds for which "no such task" and "wrong key" do not count as final if the service has accepted the
#: task. A new task reaches the machines of the service one after the other, and a machine that has just
#: started may not have the keys yet; that takes seconds, or the few minutes of an update.
REFUSAL_PATIENCE = 300.0
_UNREACHABLE = N_("The service has been unreachable since {since}: {error}")
_FAULTY = N_("The service has returned errors since {since}: {error}")
_UNUSABLE = N_("The service has sent unusable responses since {since}: {error}")


class Outage:
    """The failed status requests since the last good answer.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._trouble = ""
        self._trouble_since: datetime | None = None
        self._refused_since: float | None = None

    def explain(self, error: QingboError, delay: float, *, is_taken: bool) -> tuple[str, NextTry]:
        """Return a message with the error and the time of the next request, and the two apart.

        Args:
            error: the error of a status request.
            delay: seconds until the next request.
            is_taken: whether the service is known to have accepted the task.

        Raises:
            AuthenticationFailed, TaskNotFound: ``error`` itself, if it counts as final.
        """
        now, again = self._clock(), tr("Asking again in {delay:.0f} s.")
        trouble = ""
        if isinstance(error, AuthenticationFailed | TaskNotFound):
            if self._refused_since is None:
                self._refused_since = now
            # A gateway that answers 200 may speak of its own key; only the service's own status is final.
            is_believed = not 200 <= error.status < 300
            is_over = now + delay - self._refused_since > REFUSAL_PATIENCE
            if not is_taken or (is_believed and is_over):
                raise error
            message = tr("The service accepted this task, but now responds: {error}")
        elif isinstance(error, RateLimited):
            message = tr("The service asks to wait: {error}")
        elif isinstance(error, ServiceError) and error.code and 200 <= error.status < 300:
            message = tr("The service responds: {error}")
        else:
            trouble = _trouble_of(error)
            message, again = tr(trouble), tr("Trying again in {delay:.0f} s.")
        reason = message.format(error=error, since=self._since(trouble))
        next_try = NextTry.after(delay, reason, is_away=bool(trouble), since=self._began)
        return sentences(reason, again.format(delay=delay)), next_try

    def _since(self, trouble: str) -> str:
        """Return the local time since which every request has had this trouble; empty without trouble."""
        if trouble != self._trouble:
            self._trouble, self._trouble_since = trouble, datetime.now().astimezone() if trouble else None
        return "" if self._trouble_since is None else local_time(self._trouble_since, seconds=True)


def _trouble_of(error: QingboError) -> str:
    """Return what is wrong with a service that neither reports on the task nor refuses the request."""
    if not isinstance(error, ServiceError):
        return _UNREACHABLE
    return _UNUSABLE if 200 <= error.status < 300 else _FAULTY
