"""Painting on the image of a form, as the page reports it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from qingbo_widgets.widgets.form.masks import MasksEditor
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import send

__all__ = ["PAINTED", "SIZE", "editor_of", "note_as_before", "paint", "runs"]

SIZE = (640, 360)
#: The pixels that the tests paint: the first row, from the tenth pixel to the twentieth.
PAINTED = bytes([10, 10])


def editor_of(form: RequestForm) -> MasksEditor:
    """Return the masks editor of a form."""
    editor: MasksEditor = form.panels.editor("masks")
    return editor


def runs(painted: bytes, size: tuple[int, int] = SIZE) -> bytes:
    """Return the page's message of a mask: these runs, then unpainted pixels to the end."""
    rest, data = size[0] * size[1] - sum(painted), bytearray(painted)
    while rest > 127:
        data.append(128 + rest % 128)
        rest //= 128
    return bytes(data + bytes([rest]))


def paint(form: RequestForm, mask: int, painted: bytes = PAINTED, size: tuple[int, int] = SIZE) -> None:
    """Paint a mask as the page does."""
    content = {"kind": "painted", "mask": mask, "width": size[0], "height": size[1]}
    send(editor_of(form).drawing.canvas, content, buffers=(runs(painted, size),))


def note_as_before(mask: Path, url: str) -> Path:
    """Write the note of an earlier version about a mask that it published under a URL; return the note."""
    note = mask.with_name(f"url-{hashlib.sha256(url.encode()).hexdigest()[:32]}.json")
    note.write_text(json.dumps({"url": url, "mask": mask.name}), encoding="utf-8")
    return note
