"""Publication of a local image at a URL that the service can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import QingboError
from ..i18n import tr
from ..service.contract.urls import public_url_refusal

if TYPE_CHECKING:
    from ..sandbox import Sandbox

__all__ = ["published"]


def published(picture: Path, upload: Callable[[Path], str] | None, sandbox: Sandbox | None) -> str:
    """Return the URL of an image.

    Args:
        picture: the path of the image.
        upload: the user's function, which uploads a file and returns its URL.
        sandbox: the sandbox, which serves the file itself if there is no ``upload``.

    Raises:
        QingboError: there is neither, or ``upload`` did not return a public URL.
    """
    if upload is None and sandbox is not None:
        return sandbox.publish(picture)
    if upload is None:
        message = tr(
            "The service reads pictures from public URLs only, and {file} is on this machine. Upload it and "
            "pass its URL, or connect(upload=f), where f(path) returns its URL."
        )
        raise QingboError(message.format(file=picture.name))
    url = upload(picture)
    if (reason := public_url_refusal(url)) is not None:
        raise QingboError(tr("upload returned {url!r}, which {reason}.").format(url=url, reason=reason))
    return url
