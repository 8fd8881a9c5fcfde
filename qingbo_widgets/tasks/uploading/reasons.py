"""The errors of stores in plain words, with the next step.

The libraries of the stores wrap each other's errors, and their frames hold the credentials. So an error is
read here, with its causes, and a new one is raised in its place.
"""

from __future__ import annotations

import email.utils
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...exceptions import UploadFailed
from ...i18n import N_, tr
from .shown import shown
from .stores import CannotSign, NoCredentials

__all__ = ["Place", "explained", "is_about_the_object"]

_NO_CREDENTIALS = N_("{destination}: no credentials were found. They are taken from {credentials}.")
_UNKNOWN_KEY = N_(
    "{destination}: the store does not know this access key. Check that it is active and belongs to this "
    "store."
)
_WRONG_SECRET = N_(
    "{destination}: the secret does not belong to the access key. Copy both again, without blanks around "
    "them."
)
_EXPIRED = N_(
    "{destination}: the temporary credentials have expired. Log in again, or renew the token, and then "
    "repeat."
)
_NO_BUCKET = N_(
    "{destination}: the store has no bucket {bucket}. Check the name and the endpoint, or create the bucket."
)
_DENIED = N_("{destination}: access was denied. The credentials need these rights in {bucket}: {rights}.")
_SKEWED = N_("{destination}: the clock of this machine is wrong. Set it, and then repeat.")
_SKEWED_BY = N_(
    "{destination}: the clock of this machine is wrong: the store's shows {time} UTC, {minutes} min away "
    "from it. Set it, and then repeat."
)
_FULL = N_("{destination}: the store is full, or its quota is used up. Delete objects, or raise the quota.")
_TOO_LARGE = N_("{destination}: the file is larger than the store allows.")
_REGION = N_(
    "{destination}: the bucket is in another region. Pass client_kwargs={{'region_name': '{region}'}} to "
    "qw.Storage."
)
_BUSY = N_("{destination}: the store is overloaded or out of order ({code}). Repeat it a little later.")
_UNREACHED = N_(
    "{destination}: {host} was not reached, or did not answer. Check the network, the proxy and the endpoint."
)
_THE_STORE = N_("the store")
_CERTIFICATE = N_(
    "{destination}: the certificate of {host} is not trusted. Name the file with its authority's "
    "certificate in AWS_CA_BUNDLE or SSL_CERT_FILE."
)
_REFUSED = N_("{destination}: the store refused the request: {text}")
_CANNOT_SIGN = N_("{destination}: these credentials cannot sign links. {text}")
_OPTION = N_("{destination}: qw.Storage has an option that {package} does not take: {text}")
_OTHER = N_("{destination}: the upload failed: {text}")

_KINDS: Mapping[str, tuple[str, ...]] = {
    _UNKNOWN_KEY: ("InvalidAccessKeyId",),
    _WRONG_SECRET: ("SignatureDoesNotMatch", "AuthenticationFailed"),
    _EXPIRED: (
        "ExpiredToken",
        "ExpiredTokenException",
        "TokenRefreshRequired",
        "InvalidToken",
        "SecurityTokenExpired",
        "InvalidSecurityToken",
        "RequestExpired",
    ),
    _NO_BUCKET: ("NoSuchBucket", "ContainerNotFound", "InvalidBucketName", "404"),
    _DENIED: (
        "AccessDenied",
        "AllAccessDisabled",
        "AccountProblem",
        "Forbidden",
        "AuthorizationFailure",
        "AuthorizationPermissionMismatch",
        "InsufficientAccountPermissions",
        "Unauthorized",
        "401",
        "403",
    ),
    _SKEWED: ("RequestTimeTooSkewed",),
    _FULL: (
        "QuotaExceeded",
        "XMinioStorageFull",
        "InsufficientStorage",
        "ServiceQuotaExceededException",
        "507",
    ),
    _TOO_LARGE: ("EntityTooLarge", "RequestBodyTooLarge", "413"),
    _REGION: (
        "AuthorizationHeaderMalformed",
        "PermanentRedirect",
        "IllegalLocationConstraintException",
        "301",
    ),
    _BUSY: (
        "SlowDown",
        "ServiceUnavailable",
        "InternalError",
        "ServerBusy",
        "RequestTimeout",
        "TooManyRequests",
    ),
}
_KIND_OF = {code: kind for kind, codes in _KINDS.items() for code in codes}
#: Classes by name: their libraries may not be installed, and are not imported for this.
_NO_CREDENTIALS_CLASSES = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "NoAuthTokenError",
    "DefaultCredentialsError",
    "ClientAuthenticationError",
}
_EXPIRED_CLASSES = {
    "UnauthorizedSSOTokenError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "RefreshError",
}
_CERTIFICATE_CLASSES = {"SSLError", "ClientConnectorCertificateError"}
_UNREACHED_CLASSES = {
    "HTTPClientError",
    "FSTimeoutError",
    "ClientError",
    "RequestException",
    "ServiceRequestError",
    "ServiceResponseError",
    "RequestError",
    "TransportError",
}


@dataclass(frozen=True)
class Place:
    """The names in the sentences: the destination, its bucket and endpoint, and the facts of its store."""

    destination: str
    bucket: str
    host: str
    package: str
    credentials: str
    rights: str


def is_about_the_object(error: BaseException) -> bool:
    """Return whether an answer about one object leaves open whether it can be written.

    Stores answer 403 for an object that does not exist if the credentials may not list the bucket, and give
    no reason without a body, as in an answer to HEAD.
    """
    if any(isinstance(link, FileNotFoundError) for link in _chain(error)):
        return True
    code, _ = _answer(error)
    return code.isdecimal() and code < "500"


def explained(error: BaseException, place: Place) -> UploadFailed:
    """Return the error of a store in plain words, without credentials and signatures."""
    code, response = _answer(error)
    kind = _kind(error, code)
    if kind is None:
        text = shown(_text(error, code, response))
        kind = _REFUSED if code else _OTHER
        if isinstance(error, TypeError):
            kind = _OPTION
    else:
        text = str(error)  # used by _CANNOT_SIGN only
    values = {**vars(place), "code": code, "text": text, "region": _region(response)}
    values["host"] = place.host or tr(_THE_STORE)
    if kind is _SKEWED and (offset := _offset(response)) is not None:
        kind, (values["time"], values["minutes"]) = _SKEWED_BY, offset
    return UploadFailed(tr(kind).format(**values), transient=kind in (_BUSY, _UNREACHED))


def _kind(error: BaseException, code: str) -> str | None:
    if code in _KIND_OF:
        return _KIND_OF[code]
    if code.isdecimal() and code >= "500":
        return _BUSY
    for link in _chain(error):
        names = {kind.__name__ for kind in type(link).__mro__}
        if isinstance(link, CannotSign):
            return _CANNOT_SIGN
        if isinstance(link, NoCredentials) or names & _NO_CREDENTIALS_CLASSES:
            return _NO_CREDENTIALS
        if names & _EXPIRED_CLASSES:
            return _EXPIRED
        if isinstance(link, ssl.SSLError) or names & _CERTIFICATE_CLASSES:
            return _CERTIFICATE
    if code:
        return None
    for link in _chain(error):
        names = {kind.__name__ for kind in type(link).__mro__}
        if isinstance(link, ConnectionError | TimeoutError) or names & _UNREACHED_CLASSES:
            return _UNREACHED
        if isinstance(link, FileNotFoundError):
            return _NO_BUCKET
        if isinstance(link, PermissionError):
            return _DENIED
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, the outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _answer(error: BaseException) -> tuple[str, Mapping[str, Any]]:
    """Return the code of a store's answer and, for S3, the answer; both empty if the error is no answer."""
    for link in _chain(error):
        response = getattr(link, "response", None)
        if isinstance(response, Mapping) and isinstance(response.get("Error"), Mapping):
            return str(response["Error"].get("Code") or ""), response
        # oss2, azure-core, gcsfs
        for name in ("error_code", "code", "status_code", "status"):
            code = getattr(link, name, None)
            code = str(getattr(code, "value", code) or "")
            if code and code != "None" and not code.startswith("-"):  # oss2: -2 without an answer
                return code, {}
    return "", {}


def _text(error: BaseException, code: str, response: Mapping[str, Any]) -> str:
    message = response.get("Error", {}).get("Message") if response else getattr(error, "message", None)
    text = str(message or error or type(error).__name__)
    return text if not code or code in text else f"{code}: {text}"


def _region(response: Mapping[str, Any]) -> str:
    return str(
        response.get("Error", {}).get("Region") or _headers(response).get("x-amz-bucket-region") or "…"
    )


def _offset(response: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the time of the store's clock, and the minutes between it and this machine's."""
    try:
        theirs = email.utils.parsedate_to_datetime(str(_headers(response)["date"]))
        minutes = abs(theirs - datetime.now(UTC)).total_seconds() / 60
    except (KeyError, ValueError, TypeError):
        return None
    return theirs.strftime("%Y-%m-%d %H:%M"), round(minutes)


def _headers(response: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers if isinstance(headers, Mapping) else {}
