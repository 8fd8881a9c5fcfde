"""The certificates of TLS: the file of those that are trusted, and the reasons why a server's was not."""

from __future__ import annotations

import os
import ssl
import time
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ...i18n import N_, sentences, tr
from ..secrets.known_keys import hide

__all__ = ["certificates_problem", "tls_failure"]

#: The environment variables that requests reads, the most important first.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: Numbers of OpenSSL (X509_V_ERR_…): what is wrong with a certificate.
_OTHER_NAME, _OTHER_DATE, _UNKNOWN_ISSUER = {62, 64}, {9, 10}, {2, 18, 19, 20, 21}
_PLAIN_REASONS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"}
_VERSION_REASONS = {
    "NO_PROTOCOLS_AVAILABLE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "VERSION_TOO_LOW",
}

_MISSING = N_("{variable} sets {path} as the file of trusted certificates, but this file does not exist.")
_UNREADABLE = N_(
    "{variable} sets {path} as the file of trusted certificates, but no certificates can be read from it."
)
_CORRECT = N_("Correct or unset {variable}.")
_REINSTALL = N_(
    "The certificates of the package certifi are missing. Install certifi again, and restart the kernel."
)
_NAME = N_(
    "{host} showed a certificate (TLS) for another name. Check the address. The sign-in page of a network "
    "can also cause this."
)
_DATE = N_(
    "The certificate (TLS) of {host} has expired or is not valid yet. Check this machine's clock, which "
    "says {date}."
)
_ISSUER = N_(
    "This machine does not know the authority that issued the certificate (TLS) of {host}. In a company "
    "network that inspects traffic, set REQUESTS_CA_BUNDLE to the file of its certificates."
)
_NOT_LISTED = N_(
    "The authority that issued the certificate (TLS) of {host} is not in the file that {variable} names. "
    "Correct or unset {variable}."
)
_OTHER = N_("The certificate (TLS) of {host} was not accepted: {reason}.")
_PLAIN = N_(
    "{host} answered without encryption (TLS), but the address says https. Check the address and port."
)
_VERSION = N_("{host} and this machine support no common version of the encryption (TLS).")
_BROKEN = N_("{host} could not prove its identity, or the encryption (TLS) failed.")


def certificates_problem() -> str:
    """Return the sentences about a file of trusted certificates that cannot be used; empty if it can."""
    variable = _variable()
    path = os.environ[variable] if variable else DEFAULT_CA_BUNDLE_PATH
    try:
        if not Path(path).is_dir():  # those in a folder are read one by one, when they are needed
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        return ""
    except OSError:
        if not variable:
            return tr(_REINSTALL)
        text = tr(_UNREADABLE) if Path(path).exists() else tr(_MISSING)
        message = text.format(variable=variable, path=hide(path))
        return sentences(message, tr(_CORRECT).format(variable=variable))


def tls_failure(cause: BaseException, host: str) -> str:
    """Return the sentence about a broken encryption."""
    inner = next((arg for arg in cause.args if isinstance(arg, Exception)), cause)
    if isinstance(inner, ssl.SSLCertVerificationError):
        text = _certificate_text(inner.verify_code)
        date, reason = time.strftime("%Y-%m-%d"), inner.verify_message
        return text.format(host=host, date=date, variable=_variable(), reason=reason)
    reason = getattr(inner, "reason", None) or ""
    text = tr(_PLAIN) if reason in _PLAIN_REASONS else tr(_BROKEN)
    return (tr(_VERSION) if reason in _VERSION_REASONS else text).format(host=host)


def _certificate_text(code: int) -> str:
    if code in _OTHER_NAME:
        return tr(_NAME)
    if code in _OTHER_DATE:
        return tr(_DATE)
    if code in _UNKNOWN_ISSUER:
        return tr(_NOT_LISTED) if _variable() else tr(_ISSUER)
    return tr(_OTHER)


def _variable() -> str:
    """Return the environment variable that names the trusted certificates; empty if none does."""
    return next((name for name in _VARIABLES if os.environ.get(name)), "")
