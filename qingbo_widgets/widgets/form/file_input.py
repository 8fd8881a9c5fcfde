"""The control beside a field of pictures or videos that takes files: chosen, dropped or pasted.

``file_input.js`` sends them in pieces, which ``incoming.py`` saves. The whole box with ``FILES_CLASS`` around
the control takes what is dropped and pasted. A page without the script shows no control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Int, Unicode

from ...i18n import N_, tr
from ...system.notebook import notebook_folder
from ..base.html import read_css
from ..base.scripts import one_module
from .incoming import Incoming, base_name

__all__ = ["FILES_CLASS", "KINDS_OF_FILES", "FileKind", "make_file_input"]

#: The CSS class of the box that takes the files.
FILES_CLASS = "qingbo-files"

_SCRIPT = Path(__file__).with_name("file_input.js")

_PICTURES_HELP = N_("Choose a picture on your computer, or drop or paste it here. At most {limit} MB.")
_VIDEOS_HELP = N_("Choose a video on your computer, or drop or paste it here. At most {limit} MB.")
_NO_PICTURE, _NO_VIDEO = N_("{name} is not a picture."), N_("{name} is not a video.")
_NOT_FOUND = N_("The kernel does not find {name}. Choose it on your computer.")

#: The texts of the page, by their name there.
_TEXTS = {
    "choose": N_("Choose file…"),
    "choose_several": N_("Choose files…"),
    "sending": N_("{name}: {done} of {total} MB"),
    "waiting": N_("{name}: Waiting for the kernel…"),
    "queued": N_("{name}: next"),
    "cancel": N_("Cancel"),
    "cancel_file": N_("Cancel {name}"),
    "arrived": N_("{name} has arrived."),
    "cancelled": N_("{name} was cancelled."),
    "too_large": N_("{name} has {size} MB; at most {limit} MB are taken."),
    "empty": N_("{name} is empty."),
    "full": N_("There is no room for {name}: remove another one first."),
    "unreadable": N_("{name} could not be read."),
    "failed": N_("{name} did not arrive. Choose it again."),
    "gone": N_("The kernel is gone, and {name} did not arrive."),
    "lost": N_("{name} did not arrive, because the page was closed. Choose it again."),
}


@dataclass(frozen=True)
class FileKind:
    """A kind of file that a field takes.

    Attributes:
        media: the type that its files have in the browser, ``image`` or ``video``.
        suffixes: the suffixes of files whose type browsers may not know.
        limit: the maximum megabytes of a file.
        help: the tooltip of the button, untranslated.
        refusal: the message about another file, untranslated.
    """

    media: str
    suffixes: str
    limit: int
    help: str
    refusal: str


_PICTURE = FileKind("image", ".heic,.heif,.avif,.tif,.tiff,.webp", 100, _PICTURES_HELP, _NO_PICTURE)
#: By the ``media`` of a parameter.
KINDS_OF_FILES = {
    "image": _PICTURE,
    "mask": _PICTURE,
    "video": FileKind("video", ".mkv,.mov", 100, _VIDEOS_HELP, _NO_VIDEO),
}


def make_file_input(
    kind: FileKind, folder: Callable[[], Path | None], on_file: Callable[[Path, str], object]
) -> Any:
    """Return the control. It belongs into a box with ``FILES_CLASS``.

    Args:
        kind: what it takes.
        folder: as in ``Incoming``.
        on_file: called with the path of each file and the name that it had, in the thread of the kernel's
            event loop. A file of Jupyter's file browser is not copied.
    """
    return _control()(kind, folder, on_file)


def served_file(path: str, start: Path) -> Path | None:
    """Return the file that Jupyter's page means by a path; ``None`` if the kernel does not have it.

    The path is relative to the root of Jupyter's server, which no kernel knows: a folder around the notebook.

    Args:
        path: the path, with slashes, maybe with the name of a drive (``RTC:koi.png``).
        start: the folder of the notebook.
    """
    inner = Path(path.rpartition(":")[2].lstrip("/"))
    if ".." in inner.parts:
        return None
    for root in (start, *start.parents):
        try:
            if (root / inner).is_file():
                return root / inner
        except (OSError, ValueError):
            continue
    return None


@cache
def _control() -> Any:
    import anywidget  # slow to import

    class FileInput(anywidget.AnyWidget):
        """A button for files, and the progress of those on their way."""

        _esm = one_module(_SCRIPT)  # given a path, anywidget keeps every instance alive
        _css = read_css(__file__, "file_input.css")

        accept = Unicode("", help="The types and suffixes of files that it takes.").tag(sync=True)
        limit = Int(0, help="The maximum megabytes of a file.").tag(sync=True)
        several = Bool(False, help="Whether the field takes more than one file.").tag(sync=True)
        room = Int(-1, help="The number of files for which there is room; -1 for any number.").tag(sync=True)
        label = Unicode("", help="The name of the field, for screen readers.").tag(sync=True)
        disabled = Bool(False, help="Whether it refuses files.").tag(sync=True)
        lost = Unicode("", help="A file that did not arrive, because its page was closed.").tag(sync=True)
        texts = Dict(help="The texts of the page, by name.").tag(sync=True)

        def __init__(
            self,
            kind: FileKind,
            folder: Callable[[], Path | None],
            on_file: Callable[[Path, str], object],
        ) -> None:
            texts = {name: tr(text) for name, text in _TEXTS.items()}
            texts |= {"help": tr(kind.help).format(limit=kind.limit), "other": tr(kind.refusal)}
            accept = f"{kind.media}/*,{kind.suffixes}"
            super().__init__(accept=accept, limit=kind.limit, texts=texts)
            self._take = on_file
            self._incoming = Incoming(
                folder, kind.limit * 1_000_000, self._on_file, self.send, lambda name: self._set_lost(name)
            )
            self.on_msg(lambda _, content, buffers: self._on_message(content, buffers))

        def close(self) -> None:
            """Close the control, and forget files that have not arrived completely."""
            if self.comm is not None:
                self._incoming.close()
            super().close()

        def _on_message(self, content: Any, buffers: Any) -> None:
            if not isinstance(content, dict) or self.disabled:
                return
            if content.get("kind") == "served" and isinstance(content.get("path"), str):
                self._on_served(content["path"])
            else:
                self._incoming.receive(content, buffers)

        def _on_served(self, path: str) -> None:
            """Take a file of Jupyter's file browser."""
            file = served_file(path, notebook_folder())
            if file is None:
                self.send({"kind": "said", "text": tr(_NOT_FOUND).format(name=base_name(path))})
            else:
                self._take(file, file.name)

        def _on_file(self, path: Path, name: str) -> None:
            self._set_lost("")
            self._take(path, name)

        def _set_lost(self, name: str) -> None:
            self.lost = name

    return FileInput
