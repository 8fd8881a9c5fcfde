"""Failures of a request: a sentence for each kind, and errors stripped of the frames they came through.

A failure is first compared with the settings of the environment: a proxy or a file of certificates that
cannot be used makes every request fail, and no error of the libraries says which setting it is.
"""

from __future__ import annotations

import signal
import ssl
import traceback
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3.exceptions as urllib3_errors
from requests.exceptions import InvalidSchema, InvalidURL, RequestException

from ...exceptions import ConnectionFailed
from ...i18n import N_, sentences, tr
from .certificates import certificates_problem, tls_failure
from .connections import ForbiddenAddress
from .framing import OutOfSync
from .proxies import proxy_failure, proxy_of

__all__ = ["cause_of", "failure_of", "is_unsent", "outcome_of"]

#: Errors after which nothing can have been sent.
_UNSENT = (
    urllib3_errors.NewConnectionError,
    urllib3_errors.ConnectTimeoutError,
    urllib3_errors.ProxyError,
    urllib3_errors.LocationValueError,
    ForbiddenAddress,
    InvalidSchema,
    InvalidURL,
)
#: Packages whose errors are failures of the request.
_HTTP_PACKAGES = {
    "builtins",
    "http",
    "qingbo_widgets",
    "requests",
    "socket",
    "socks",
    "ssl",
    "urllib3",
    "zlib",
}
_T = TypeVar("_T")

#: A sentence for each failure, the most specific first.
_MESSAGES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (
        urllib3_errors.NameResolutionError,
        N_("{host} was not found: its name could not be resolved. Check that this machine is online."),
    ),
    (urllib3_errors.NewConnectionError, N_("{host} refused the connection or cannot be reached.")),
    (urllib3_errors.ConnectTimeoutError, N_("{host} did not accept the connection in time.")),
    ((TimeoutError, urllib3_errors.TimeoutError), N_("{host} did not answer in time.")),
    (urllib3_errors.ProtocolError, N_("{host} closed the connection before its response was complete.")),
    (ForbiddenAddress, N_("{host} has an address to which the key must not be sent.")),
    (OutOfSync, N_("{host} sent a response that does not match this request.")),
    ((urllib3_errors.LocationValueError, InvalidURL), N_("{host} is not a valid host name.")),
    (Exception, N_("The request to {host} or its response was malformed.")),
)
_THROUGH = N_("The connection goes through the proxy {proxy}.")


def outcome_of(action: Callable[[], _T]) -> _T | BaseException:
    """Return the action's result, or the error it raises, without traceback, context and cause."""
    try:
        return action()
    except BaseException as error:
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return error


def cause_of(error: BaseException) -> BaseException:
    """Return the underlying failure, unwrapped from the errors of requests and urllib3."""
    from_handler = _raised_by_signal_handler(error)
    if from_handler is not None:
        return from_handler
    if isinstance(error, RequestException) and error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    if isinstance(error, urllib3_errors.MaxRetryError) and error.reason is not None:
        error = error.reason
    return error


def is_unsent(cause: BaseException) -> bool:
    """Return whether the failure proves that nothing was sent."""
    return isinstance(cause, _UNSENT)


def failure_of(
    cause: BaseException, url: str, *, sent: bool, unclear: str = "", is_read_only: bool = False
) -> BaseException:
    """Return our error for a failed request; return an interruption unchanged.

    Args:
        cause: the underlying failure.
        url: the request's URL.
        sent: whether the request may have been sent.
        unclear: the sentence for a request that may have been sent.
        is_read_only: whether the request changes nothing, so that ``unclear`` also holds if it was not sent.
    """
    if _is_interruption(cause):
        return cause
    after = unclear if sent or is_read_only else tr("Nothing was sent.")
    return ConnectionFailed(sentences(_message_of(cause, url), after), sent=sent)


def _message_of(cause: BaseException, url: str) -> str:
    """Return the sentences about a failure: about the setting that it comes from, if it comes from one."""
    host, proxy = urlsplit(url).hostname or "", proxy_of(url)
    if proxy is not None and (message := proxy_failure(cause, host, proxy)):
        return message
    is_tls = isinstance(cause, urllib3_errors.SSLError | ssl.SSLError)
    # requests itself raises a plain OSError for a missing file of certificates.
    may_be_certificates = url.startswith("https:") and (is_tls or type(cause) is OSError)
    if may_be_certificates and (message := certificates_problem()):
        return message
    if is_tls:
        message = tls_failure(cause, host)
    else:
        message = next(tr(text) for kinds, text in _MESSAGES if isinstance(cause, kinds)).format(host=host)
    is_through = proxy is not None and not isinstance(cause, ForbiddenAddress)
    return sentences(message, tr(_THROUGH).format(proxy=proxy) if is_through else "")


def _is_interruption(cause: BaseException) -> bool:
    """Return whether the error is no failure of the request: an expired time limit, or a user's interrupt."""
    if not isinstance(cause, Exception) or type(cause).__module__.partition(".")[0] not in _HTTP_PACKAGES:
        return True
    return _raised_by_signal_handler(cause) is not None


def _raised_by_signal_handler(error: BaseException | None) -> BaseException | None:
    """Return the error in this chain of causes that a signal handler raised, or ``None``.

    The example in Python's documentation of ``signal`` raises an ``OSError`` from a handler. urllib3 takes it
    for a failed connection, and the caller would never receive it.
    """
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(handler, "__code__", None) for handler in handlers} - {None}
    raised = None
    while error is not None:
        if any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__)):
            raised = error  # the innermost one: urllib3 gives its own error the same traceback
        error = error.__cause__ or error.__context__
    return raised
