"""Local files and pictures in the media fields of a request."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...service.contract.urls import is_local_file, is_network_path, is_web_url
from ...service.contract.values import LocalMedia
from ...system.notebook import notebook_folder

__all__ = ["found", "is_folder"]


def found(value: object) -> Path | LocalMedia | None:
    """Return the file or picture of this machine that a value refers to; ``None`` if it is another value.

    A relative path is looked for in the working directory, then beside the notebook. Quotation marks, with
    which Windows copies a path, are no part of it. A ``data:`` URL is a picture in memory.
    """
    if isinstance(value, LocalMedia):
        return value
    if not isinstance(value, str) or not value.strip() or is_web_url(value):
        return None
    text = value.strip()
    if text[:5].lower() == "data:":
        return _in_data(text)
    if text[:7].lower() == "file://":
        text = _path_in(text)
    elif "://" in text:
        return None
    if is_network_path(text):
        return None
    bare = text[1:-1] if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" else text
    for path in (value, text, bare):
        if is_local_file(path):
            return Path(path).expanduser()
    return _beside_notebook(bare)


def is_folder(text: str) -> bool:
    """Return whether a text is the path of a folder on this machine."""
    try:
        return not is_network_path(text) and Path(text).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def _in_data(url: str) -> LocalMedia | None:
    head, comma, content = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return None
    try:
        return LocalMedia(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        return None


def _path_in(url: str) -> str:
    """Return the path in a ``file:`` URL; empty if it is on another computer."""
    try:
        parts: Any = urlsplit(url)
    except ValueError:
        return ""
    return url2pathname(parts.path) if parts.netloc in ("", "localhost") else ""


def _beside_notebook(text: str) -> Path | None:
    folder = notebook_folder()
    if not text or is_network_path(text):
        return None
    path = folder / text
    return path if is_local_file(str(path)) else None
