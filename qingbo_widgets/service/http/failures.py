"""Failures of a request: what each means, in a sentence, and how it leaves without the frames below it."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3.exceptions as urllib3_errors
from requests.exceptions import RequestException

from ...exceptions import ConnectionFailed
from ...i18n import N_, tr
from .connections import NotAdmitted
from .framing import OutOfStep

__all__ = ["UNCONNECTED", "cause_of", "failure_of", "outcome_of"]

#: Nothing can have been sent.
UNCONNECTED = (urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError, NotAdmitted)
#: The packages whose errors say how a request went.
_HTTP = {"builtins", "http", "qingbo_widgets", "requests", "socket", "ssl", "urllib3", "zlib"}
_T = TypeVar("_T")

#: What each failure means to a person, the more particular first.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (
        urllib3_errors.NameResolutionError,
        N_("{host} was not found: its name could not be looked up. Is this machine online?"),
    ),
    (urllib3_errors.NewConnectionError, N_("{host} refused the connection or cannot be reached.")),
    (urllib3_errors.ConnectTimeoutError, N_("{host} did not accept the connection in time.")),
    (urllib3_errors.SSLError, N_("{host} could not prove who it is, or broke the encryption (TLS).")),
    (
        urllib3_errors.ProxyError,
        N_("{host} was not reached: the proxy named in the environment did not help."),
    ),
    (TimeoutError, N_("{host} did not answer in time.")),
    (urllib3_errors.TimeoutError, N_("{host} did not answer in time.")),
    (urllib3_errors.ProtocolError, N_("{host} closed the connection before its answer was whole.")),
    (NotAdmitted, N_("{host} has an address to which the key must not be sent.")),
    (OutOfStep, N_("{host} sent an answer that cannot be matched to this request.")),
    (Exception, N_("{host} was asked, or answered, in a way that cannot be read.")),
)


def outcome_of(act: Callable[[], _T]) -> _T | BaseException:
    """Return what an action returns, or what it raises: without its traceback, and the errors behind it."""
    try:
        return act()
    except BaseException as error:
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return error


def cause_of(error: BaseException) -> BaseException:
    """Return the failure itself, out of what requests and urllib3 wrap around it."""
    ringing = _raised_by_a_handler(error)
    if ringing is not None:
        return ringing
    if isinstance(error, RequestException) and error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    if isinstance(error, urllib3_errors.MaxRetryError) and error.reason is not None:
        error = error.reason
    return error


def failure_of(
    cause: BaseException, url: str, *, sent: bool, unclear: str = "", is_question: bool = False
) -> BaseException:
    """Return the error of ours for a failed request; what was raised from outside is left as it is.

    Args:
        cause: the failure itself.
        url: of the request.
        sent: whether the request may have left.
        unclear: the sentence for one that may have left.
        is_question: whether it asks only, so that this sentence is as true of one that has not left.
    """
    if _is_from_outside(cause):
        return cause
    words = next(tr(words) for kind, words in _WORDS if isinstance(cause, kind))
    after = unclear if sent or is_question else tr("Nothing was sent.")
    return ConnectionFailed(f"{words.format(host=urlsplit(url).hostname)} {after}".rstrip(), sent=sent)


def _is_from_outside(cause: BaseException) -> bool:
    """Return whether not the request has failed: a time limit is over, or the user interrupts."""
    if not isinstance(cause, Exception) or type(cause).__module__.partition(".")[0] not in _HTTP:
        return True
    return _raised_by_a_handler(cause) is not None


def _raised_by_a_handler(error: BaseException | None) -> BaseException | None:
    """Return what a signal's handler has raised, out of an error and those behind it.

    Python's documentation of ``signal`` has a handler that raises an ``OSError``. urllib3 takes that for a
    failure of the connection, and the caller would wait for it in vain.
    """
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(handler, "__code__", None) for handler in handlers} - {None}
    found = None
    while error is not None:
        if any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__)):
            found = error  # the innermost one counts: urllib3 gives its own the same traceback
        error = error.__cause__ or error.__context__
    return found
