"""``Storage``: a bucket that carries pictures to where the service can read them.

fsspec does the work, with a file system for each kind of store. It has its own thread for input and output,
so every method here may be called on any thread, in a notebook too, and blocks. The file systems hold the
credentials. So their errors are replaced (``reasons``), and no repr shows them.
"""

from __future__ import annotations

import hashlib
import math
import mimetypes
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from ...exceptions import UploadFailed
from ...i18n import N_, tr
from ...service.contract.urls import is_web_url
from ...service.secrets.secret import Secret
from ...system.forks import Process
from .address import Address, refusal
from .reasons import Place, explained, is_about_the_object
from .stores import STORES
from .uploader import Link, Progress

__all__ = ["Storage"]

#: The queue of the service, and then the 24 hours in which a submission can be repeated, with room to spare.
_LIFETIME = timedelta(hours=48)
#: Seconds for a request without a file.
_SHORT = 120
#: Bytes per second below which an upload is given up.
_SLOWEST = 20_000
#: What Python before 3.13 does not know.
_TYPES = {".webp": "image/webp"}

_NOT_TEXT = N_("The address of a storage is a text such as s3://bucket/prefix.")
_MISSING = N_('{scheme}:// needs {package}: pip install "{requirement}"')
_BAD_LIFETIME = N_("lifetime is a number of hours above 0, or a timedelta.")
_TOO_LONG = N_(
    "lifetime: signed links of {scheme}:// live at most {hours} hours. For links that do not expire, make "
    "the bucket public and pass public=."
)
_BAD_PUBLIC = N_("public is the http(s) URL at which the bucket is public, without a query.")
_UNREADABLE = N_("{file} cannot be read: {reason}")

T = TypeVar("T")


class Storage:
    """A bucket for the pictures of requests: ``connect(upload=qw.Storage("s3://bucket/prefix"))``.

    Each file becomes the object ``prefix/name``. Anyone with its link can see it until the link expires.

    Schemes are ``s3`` (also R2, MinIO and other compatible stores, with ``endpoint_url`` or
    ``AWS_ENDPOINT_URL``), ``oss`` (Aliyun), ``gs`` (Google) and ``abfs`` (Azure). The extra ``[upload]``
    installs what ``s3`` needs; the error for another scheme names its package.

    Args:
        address: such as ``s3://bucket/prefix``, without credentials.
        lifetime: the lifetime of signed links, in hours or as a timedelta; for ``s3`` and ``gs`` at most
            7 days. By default 48 hours: the task may wait in the queue of the service, and its submission can
            be repeated with the same idempotency key, and so with the same link, for 24 hours. Links that are
            signed with temporary credentials end with these.
        public: the URL at which the bucket is public, such as ``https://pictures.example.com``. Links then
            are this URL, a slash and the object's key; they are not signed and do not expire.
        remove: whether to remove each file after its task.
        **options: of the file system of fsspec: ``key``, ``secret``, ``endpoint_url``, ``profile`` and
            others. By default, credentials come from where the store's own tools take them.

    Raises:
        ValueError: the address contains credentials or is not one of a storage, ``lifetime`` is too long,
            ``public`` is not a URL, or ``oss`` lacks its ``endpoint``.
        TypeError: the address is not a text.
        ImportError: the package for the scheme is not installed; the message explains how to install it.
    """

    def __init__(
        self,
        address: str | Secret,
        *,
        lifetime: timedelta | float = _LIFETIME,
        public: str | None = None,
        remove: bool = False,
        **options: Any,
    ) -> None:
        # First of all, keep them out of tracebacks: an address may hold a login.
        address = address if isinstance(address, Secret) else Secret(address)
        self._options, options = _kept(options), {}
        if not address.is_text:
            raise TypeError(tr(_NOT_TEXT))
        if (reason := refusal(address.reveal())) is not None:
            raise ValueError(reason)
        self._address = Address.of(address.reveal())
        self._store = STORES[self._address.scheme]
        if public is not None and not _is_plain_url(public):
            public = None  # keep it out of tracebacks: it may hold a login or a signature
            raise ValueError(tr(_BAD_PUBLIC))
        self._public = None if public is None else public.rstrip("/")
        self._lifetime = self._checked_lifetime(lifetime)
        self._removes = bool(remove)
        if find_spec(self._store.package) is None:
            requirement = "qingbo_widgets[upload]" if self._store.package == "s3fs" else self._store.package
            text = tr(_MISSING).format(
                scheme=self._address.scheme, package=self._store.package, requirement=requirement
            )
            raise ImportError(text, name=self._store.package)
        if (reason := self._store.lacks(self._options())) is not None:
            raise ValueError(reason)
        #: The file system, the path of the address in it, and the process that opened it.
        self._opened: tuple[Any, str, Process] | None = None

    @property
    def destination(self) -> str:
        """The address, with the host of the endpoint if it is not the usual one, and of public links."""
        hosts = ", ".join(filter(None, (self._store.endpoint_of(self._options()), self._public)))
        return f"{self._address.text} ({hosts})" if hosts else self._address.text

    @property
    def lifetime(self) -> timedelta | None:
        """The lifetime of links; ``None`` if they are public and do not expire."""
        return None if self._public is not None else self._lifetime

    @property
    def removes(self) -> bool:
        """True if files are to be removed after their task."""
        return self._removes

    @property
    def lasts(self) -> bool:
        """True: links outlive this process."""
        return True

    def publish(self, file: Path, on_progress: Progress) -> Link:
        """Upload a file, unless its object is there already, and return a link to it. Block until then.

        An interrupted upload leaves no object: stores create it when its last byte has arrived.

        Args:
            file: the file. Its name becomes the object's.
            on_progress: receives the bytes sent and the bytes in all, on any thread; not called if nothing is
                sent. S3 takes pieces of 5 MiB and more, so a file below 10 MiB arrives in one step.

        Raises:
            UploadFailed: the file cannot be read, or the store refused it or was not reached.
        """
        size = _size(file)
        link = self._link(file)  # first: credentials that cannot sign fail before anything is sent
        if not self._run(lambda files, root: self._is_there(files, f"{root}/{file.name}", file, size)):
            self._run(lambda files, root: self._send(files, f"{root}/{file.name}", file, size, on_progress))
        return link

    def renew(self, file: Path) -> Link | None:
        """Return a fresh link to the file; ``None`` if the store does not have its content.

        Raises:
            UploadFailed: the file cannot be read, or the store was not reached.
        """
        size = _size(file)
        is_there = self._run(lambda files, root: self._is_there(files, f"{root}/{file.name}", file, size))
        return self._link(file) if is_there else None

    def remove(self, file: Path) -> None:
        """Remove the object of the file, if it is there.

        Raises:
            UploadFailed: the store refused or was not reached.
        """

        def remove(files: Any, root: str) -> None:
            with suppress(FileNotFoundError):
                files.rm_file(f"{root}/{file.name}", **_limit(files, _SHORT))

        self._run(remove)

    def __repr__(self) -> str:
        return f"Storage({self._address.text!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(tr("A storage cannot be pickled or copied: it may hold credentials."))

    def _checked_lifetime(self, lifetime: timedelta | float) -> timedelta:
        if not isinstance(lifetime, timedelta):
            if (
                isinstance(lifetime, bool)
                or not isinstance(lifetime, int | float)
                or not math.isfinite(lifetime)
            ):
                raise ValueError(tr(_BAD_LIFETIME))
            lifetime = timedelta(hours=lifetime)
        if lifetime < timedelta(seconds=1):
            raise ValueError(tr(_BAD_LIFETIME))
        longest = self._store.longest
        if self._public is None and longest is not None and lifetime > longest:
            hours = int(longest / timedelta(hours=1))
            raise ValueError(tr(_TOO_LONG).format(scheme=self._address.scheme, hours=hours))
        return lifetime

    def _run(self, call: Callable[[Any, str], T]) -> T:
        """Call a function with the file system and the path of the address in it.

        Raises:
            UploadFailed: the store refused or was not reached.
        """
        try:
            return call(*self._files())
        except UploadFailed:
            raise
        except Exception as error:
            failure = explained(error, self._place())
        # Outside of the except block: the frames of the error hold the credentials.
        raise failure

    def _files(self) -> tuple[Any, str]:
        """Return the file system and the path of the address in it; in a forked child, a new one."""
        if self._opened is None or not self._opened[2].is_this:
            from fsspec import url_to_fs

            files, root = url_to_fs(self._address.text, **self._store.options(self._options()))
            self._store.prepare(files)
            self._opened = files, root.rstrip("/"), Process()
        return self._opened[:2]

    def _place(self) -> Place:
        store = self._store
        host = store.endpoint_of(self._options())
        return Place(
            self.destination, self._address.bucket, host, store.package, store.credentials, store.rights
        )

    def _is_there(self, files: Any, path: str, file: Path, size: int) -> bool:
        """Return whether the object has the file's content, as far as its size and its mark show."""
        try:
            stored, mark = self._store.facts(files, path)
        except Exception as error:
            if not is_about_the_object(error):
                raise
            return False
        if stored != size:
            return False
        # For an object sent in one piece, the mark is the MD5 of its content; for others, it is not.
        is_md5 = len(mark) == 32 and all(digit in "0123456789abcdef" for digit in mark)
        return not is_md5 or mark == _md5(file)

    def _send(self, files: Any, path: str, file: Path, size: int, on_progress: Progress) -> None:
        from fsspec.callbacks import Callback

        on_progress(0, size)

        def report(_: int, value: int, **_more: object) -> None:
            on_progress(min(value, size), size)

        callback = Callback(size=size, hooks={"progress": report})
        options = {**self._store.sending(_content_type(file)), **_limit(files, _SHORT + size / _SLOWEST)}
        files.put_file(str(file), path, callback=callback, **options)

    def _link(self, file: Path) -> Link:
        if self._public is not None:
            return Link(f"{self._public}/{quote(self._address.key(file.name))}")

        def sign(files: Any, root: str) -> Link:
            end = datetime.now(UTC) + self._lifetime
            seconds = int(self._lifetime.total_seconds())
            url = self._store.sign(files, f"{root}/{file.name}", seconds)
            credentials_end = self._store.credentials_end(files)
            return Link(url, end if credentials_end is None else min(end, credentials_end))

        return self._run(sign)


def _kept(options: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Return a function that returns the options: its repr shows none of them."""
    return lambda: dict(options)


def _is_plain_url(url: object) -> bool:
    """Return whether a value is an http(s) URL without a login, a query and a fragment."""
    return isinstance(url, str) and is_web_url(url) and not any(mark in url for mark in "?#@")


def _size(file: Path) -> int:
    """Return the size of a file in bytes.

    Raises:
        UploadFailed: it cannot be read.
    """
    try:
        with file.open("rb"):
            return file.stat().st_size
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise UploadFailed(tr(_UNREADABLE).format(file=file.name, reason=reason))


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _content_type(file: Path) -> str:
    known = _TYPES.get(file.suffix.lower())
    # Of the suffix alone: a name may look like a URL with a query.
    return known or mimetypes.guess_type(f"file{file.suffix}")[0] or "application/octet-stream"


def _limit(files: Any, seconds: float) -> dict[str, float]:
    """Return the option that ends a call which takes too long, for a file system that has it."""
    return {"timeout": seconds} if getattr(files, "async_impl", False) else {}
