"""Forms kept on disk: presets under a name, and drafts of what was typed last.

Each is a JSON file of its own in the library folder. So nothing has to be locked, a preset can be passed on
as a file, and one that is damaged harms no other.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..i18n import N_, tr
from ..service.secrets.known_keys import hide, hide_in
from ..system.folder import Folder
from .file_names import readable_name
from .untrusted import LARGEST, tidied

__all__ = ["Draft", "Presets"]

#: Folders in the library's folder.
PRESETS, DRAFTS = "presets", "drafts"
_LONGEST_NAME = 80
#: Drafts that are kept; the oldest go first. One notebook has one for each cell with a form.
_MOST_DRAFTS = 50

_NO_NAME = N_("A preset needs a name.")
_LONG_NAME = N_("The name of a preset has at most 80 characters.")


@dataclass(frozen=True)
class Draft:
    """What stood in a form.

    Attributes:
        fields: the fields that differ from their defaults, as JSON.
        given: those that the code gave the form at its start, to notice when the code has changed.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


class Presets:
    """The presets and drafts of one library.

    Args:
        folder: the library's folder. Nothing is created in it before something is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = Folder(folder)
        self.writing = threading.Lock()
        """Held while a draft is written, so that who needs it on disk can wait for that."""

    def names(self) -> list[str]:
        """The names of the presets, in the order of the alphabet."""
        found = map(self._read, self._files.names(PRESETS, ".json"))
        return sorted({one["name"] for one in found if isinstance(one.get("name"), str)}, key=str.casefold)

    def save(self, name: str, fields: Mapping[str, Any]) -> str:
        """Keep the fields under a name, in the place of what had this name before.

        Returns:
            The name without blanks around it.

        Raises:
            ValueError: it is no name.
            OSError: the folder cannot be written.
        """
        name = hide(" ".join(name.split()))
        if not name or not name.isprintable():
            raise ValueError(tr(_NO_NAME))
        if len(name) > _LONGEST_NAME:
            raise ValueError(tr(_LONG_NAME))
        self._write(self._file(PRESETS, name), {"name": name, "fields": dict(fields)})
        return name

    def load(self, name: str) -> dict[str, Any]:
        """The fields of a preset.

        Raises:
            KeyError: there is none of this name.
        """
        fields = self._read(self._file(PRESETS, name)).get("fields")
        if not isinstance(fields, dict):
            raise KeyError(name)
        return fields

    def remove(self, name: str) -> None:
        """Remove a preset, if there is one of this name."""
        self._files.remove(self._file(PRESETS, name))

    def draft(self, key: str) -> Draft | None:
        """The draft of a form, ``None`` where there is none that can be read."""
        found = self._read(self._file(DRAFTS, key))
        fields, given = found.get("fields"), found.get("given")
        return Draft(fields, given) if isinstance(fields, dict) and isinstance(given, dict) else None

    def keep_draft(self, key: str, draft: Draft) -> None:
        """Write down a draft.

        Raises:
            OSError: the folder cannot be written.
        """
        kept = self._file(DRAFTS, key)
        self._write(kept, {"fields": dict(draft.fields), "given": dict(draft.given)})
        # What was written last goes last, on file systems too that count time in steps of two seconds.
        others = (file for file in self._files.names(DRAFTS, ".json") if file != kept)
        for file in sorted(others, key=self._files.age)[: 1 - _MOST_DRAFTS]:
            with suppress(OSError):  # in use elsewhere; the next draft removes it
                self._files.remove(file)

    def _file(self, kind: str, name: str) -> str:
        # Readable for people; the hash makes it the name's own, whatever letters a file system mixes up.
        own = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
        return f"{kind}/{readable_name(name)}-{own}.json"

    def _read(self, file: str) -> dict[str, Any]:
        try:
            found = tidied(json.loads(self._files.read(file, LARGEST)))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, file: str, content: Mapping[str, Any]) -> None:
        kept = hide_in(dict(content))  # what was written before the key was known may hold it
        self._files.write(file, json.dumps(kept, indent=2, default=str, ensure_ascii=False) + "\n")
