"""The choice of a connection's uploader by the ``upload`` of ``connect``, and the check of its links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ...exceptions import UploadFailed
from ...i18n import tr
from ...service.contract.urls import host_of, is_private_host, public_url_refusal, web_link
from ...service.secrets.secret import Secret
from .own_function import FunctionUploader
from .sandbox_uploader import SandboxUploader
from .storage import Storage
from .uploader import Link, Progress, Uploader

if TYPE_CHECKING:
    from ...sandbox import Sandbox

__all__ = ["Upload", "uploader_of"]

#: What ``connect`` takes: a storage address, a ``Storage``, or a function.
Upload: TypeAlias = str | Storage | Callable[[Path], str]


def uploader_of(
    upload: str | Secret | Storage | Callable[[Path], str] | None,
    sandbox: Sandbox | None,
    *,
    local_service: bool = False,
) -> Uploader | None:
    """Return the uploader of a connection; ``None`` if it has none.

    Args:
        upload: a storage address, a ``Storage``, or a function that uploads a file and returns its URL.
        sandbox: the sandbox, which serves files itself if there is no ``upload``.
        local_service: whether the service runs on this machine, so that it can read links to this machine
            and its private network.

    Raises:
        ValueError: the address is not one of a storage.
        ImportError: the storage needs a package that is not installed.
        TypeError: ``upload`` is none of these.
    """
    if isinstance(upload, str):
        upload = Secret(upload)  # it may hold a login: keep it out of tracebacks
    if isinstance(upload, Secret):
        upload = Storage(upload)
    if isinstance(upload, Storage):
        return _Checked(upload, local_service)
    if callable(upload):
        return _Checked(FunctionUploader(upload), local_service)
    if upload is not None:
        kind = type(upload).__name__
        raise TypeError(
            tr("upload must be a function or an address such as s3://bucket, not {type}").format(type=kind)
        )
    return None if sandbox is None else SandboxUploader(sandbox)


class _Checked:
    """An uploader whose links the service can read, as far as their spelling shows."""

    def __init__(self, uploader: Uploader, local_service: bool) -> None:
        self._uploader, self._local_service = uploader, local_service

    def __repr__(self) -> str:
        return repr(self._uploader)

    @property
    def destination(self) -> str:
        return self._uploader.destination

    @property
    def lifetime(self) -> timedelta | None:
        return self._uploader.lifetime

    @property
    def removes(self) -> bool:
        return self._uploader.removes

    @property
    def lasts(self) -> bool:
        return self._uploader.lasts

    def publish(self, file: Path, on_progress: Progress) -> Link:
        return self._checked(self._uploader.publish(file, on_progress))

    def renew(self, file: Path) -> Link | None:
        link = self._uploader.renew(file)
        return None if link is None else self._checked(link)

    def remove(self, file: Path) -> None:
        self._uploader.remove(file)

    def _checked(self, link: Link) -> Link:
        """Return the link.

        Raises:
            UploadFailed: the service cannot read it.
        """
        link = replace(link, url=web_link(link.url) or link.url)  # a function may leave blanks and Chinese
        reason = public_url_refusal(link.url)
        if reason is None and not self._local_service and is_private_host(link.url):
            reason = tr("leads to {host}, which only this machine or its network can reach")
            reason = reason.format(host=host_of(link.url))
        if reason is None:
            return link
        message = tr("{destination}: the link to the file {reason}. The service reads public URLs only.")
        raise UploadFailed(message.format(destination=self.destination, reason=reason))
