"""What is said of questions that bring no news of a task, and when a refusal is believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from ...exceptions import AuthenticationFailed, QingboError, RateLimited, TaskNotFound
from ...i18n import tr

__all__ = ["Trouble"]

#: Seconds for which "no such task" and "wrong key" are doubted where the service has taken the task. Its
#: machines learn of a new task one after the other, and one that has just started may know no keys yet; that
#: takes seconds, or the few minutes of an update.
DOUBTED = 300.0


class Trouble:
    """The questions since the last good answer.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._away: datetime | None = None
        self._refused: float | None = None

    def tell(self, error: QingboError, delay: float, *, is_taken: bool) -> str:
        """What happened and what comes next, in words.

        Args:
            error: what became of a question.
            delay: seconds until the next one.
            is_taken: whether the service is known to have taken the task.

        Raises:
            AuthenticationFailed, TaskNotFound: the error, where there is nothing left to doubt.
        """
        now = self._clock()
        if isinstance(error, AuthenticationFailed | TaskNotFound):
            self._away = None
            if self._refused is None:
                self._refused = now
            if not is_taken or now + delay - self._refused > DOUBTED:
                raise error
            told = tr("The service took this task, and now answers {error} Asking again in {delay:.0f} s.")
        elif isinstance(error, RateLimited):
            self._away = None
            told = tr("The service asks to wait: {error} Asking again in {delay:.0f} s.")
        else:
            self._away = self._away or datetime.now().astimezone()
            told = tr("Not reachable since {since:%H:%M:%S}: {error} Trying again in {delay:.0f} s.")
        return told.format(error=error, delay=delay, since=self._away)
