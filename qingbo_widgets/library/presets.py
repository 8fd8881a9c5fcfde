"""Forms saved on disk: named presets, and drafts of the latest input.

Each is a separate JSON file in the library folder. So a preset can be shared as a file, and a damaged file
affects no other. Two kernels may have the same form, one in each window: each adds its tasks to the same
file, under a lock.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..i18n import N_, tr
from ..service.secrets.known_keys import hide, hide_in
from ..system.folder import Folder
from .file_names import readable_name
from .untrusted import LARGEST, sanitised

__all__ = ["Draft", "DraftOwner", "Presets", "file_id_of"]

#: Subfolders of the library's folder.
PRESETS, DRAFTS = "presets", "drafts"
_MAX_NAME = 80
#: Maximum number of drafts; the oldest are removed first. A notebook has one for each cell with a form.
_MAX_DRAFTS = 50
#: What is saved for a form, besides its owner.
_SAVED = ("fields", "given", "unsent", "tasks")
#: The file that a kernel locks while it saves a form, and the seconds that another one waits for it at most.
_LOCK, _PATIENCE = f"{DRAFTS}/.lock", 1.0

_NO_NAME = N_("A preset needs a name.")
_LONG_NAME = N_("The name of a preset has at most 80 characters.")


@dataclass(frozen=True)
class Draft:
    """The content of a form.

    Attributes:
        fields: the fields that differ from their defaults, as JSON.
        initial: the fields that the code passed to the form, to detect that the code has changed.
        unsent: the fields that are kept but not sent, as JSON, by the date of the contract that has them.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    unsent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftOwner:
    """The form to which a draft belongs.

    A cell id alone is not enough: a copy of a notebook has the ids of the original.

    Attributes:
        notebook: the path of the notebook.
        cell: the id of the cell that created the form.
        number: the number of the form among those of the cell, from 1.
        file_id: what identifies the notebook's file after it was renamed; empty if that is not known.
        code: a digest of the cell's source, if its id may be that of another cell tomorrow; else empty.
    """

    notebook: str
    cell: str
    number: int = 1
    file_id: str = ""
    code: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The name of the draft. It begins with the cell, so that the drafts of a cell are found by name."""
        return "\n".join((self.cell, self.notebook, str(self.number), self.file_id))


class Presets:
    """The presets and drafts of one library.

    Args:
        folder: the library's folder. Nothing is created in it until something is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = Folder(folder)
        self.write_lock = threading.Lock()
        """The lock held while a form is saved, so that a caller that needs it on disk can wait.

        A draft and the tasks of its form are in one file, so both are saved with it held.
        """

    def names(self) -> list[str]:
        """Return the names of the presets in alphabetical order."""
        presets = map(self._read, self._files.names(PRESETS, ".json"))
        return sorted(
            {item["name"] for item in presets if isinstance(item.get("name"), str)}, key=str.casefold
        )

    def save(self, name: str, fields: Mapping[str, Any]) -> str:
        """Save the fields under a name, replacing any preset of that name.

        Returns:
            The name without surrounding blanks.

        Raises:
            ValueError: the name is empty, too long or not printable.
            OSError: the folder cannot be written.
        """
        name = hide(" ".join(name.split()))
        if not name or not name.isprintable():
            raise ValueError(tr(_NO_NAME))
        if len(name) > _MAX_NAME:
            raise ValueError(tr(_LONG_NAME))
        self._write(self._file(PRESETS, name), {"name": name, "fields": dict(fields)})
        return name

    def load(self, name: str) -> dict[str, Any]:
        """Return the fields of a preset.

        Raises:
            KeyError: there is no preset of this name.
        """
        fields = self._read(self._file(PRESETS, name)).get("fields")
        if not isinstance(fields, dict):
            raise KeyError(name)
        return fields

    def remove(self, name: str) -> None:
        """Remove a preset if it exists."""
        self._files.remove(self._file(PRESETS, name))

    def draft(self, owner: DraftOwner) -> Draft | None:
        """Return the draft of a form; ``None`` if there is none that can be read.

        The draft of a notebook that was renamed is found too, never that of a copy.
        """
        return _draft_in(self._content_of(owner))

    def save_draft(self, owner: DraftOwner, draft: Draft) -> None:
        """Save a draft, and remove the oldest drafts beyond the limit.

        Raises:
            OSError: the folder cannot be written.
        """
        saved = {"fields": dict(draft.fields), "given": dict(draft.initial), "unsent": dict(draft.unsent)}
        self._amend(owner, lambda _: saved)

    def tasks(self, owner: DraftOwner) -> tuple[str, ...]:
        """Return the keys of the tasks of a form, as they were saved."""
        return _tasks_in(self._content_of(owner))

    def change_tasks(self, owner: DraftOwner, change: Callable[[tuple[str, ...]], Sequence[str]]) -> None:
        """Change the keys of the tasks of a form, which are saved beside its draft.

        Args:
            owner: the form.
            change: returns the new keys for those on disk, to which another kernel may have added some.

        Raises:
            OSError: the folder cannot be written.
        """
        self._amend(owner, lambda content: {"tasks": list(change(_tasks_in(content)))})

    def _content_of(self, owner: DraftOwner) -> Mapping[str, Any]:
        """Return what is saved for a form, under the notebook's present name or an earlier one."""
        content = self._read(self._file_of(owner))
        earlier = content.get("owner")
        if owner.code and isinstance(earlier, dict) and earlier.get("code") != owner.code:
            return {}
        if _draft_in(content) is not None:
            return content
        return next((content for _, content in self._under_another_name(owner)), {})

    def _amend(self, owner: DraftOwner, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Change what is saved for a form, and remove the oldest drafts beyond the limit."""
        with self._files.locked(_LOCK, _PATIENCE):
            self._amend_now(owner, change)

    def _amend_now(self, owner: DraftOwner, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        target = self._file_of(owner)
        content = {name: value for name, value in self._content_of(owner).items() if name in _SAVED}
        is_new = not self._files.has_file(target)
        replaced = [file for file, _ in self._under_another_name(owner)] if is_new else []
        self._write(target, {"fields": {}, "given": {}, **content, **change(content), "owner": asdict(owner)})
        for file in replaced:
            self._remove_draft(file)
        # Never the draft just written, even on file systems that store times in steps of two seconds.
        others = (file for file in self._files.names(DRAFTS, ".json") if file != target)
        for file in sorted(others, key=self._files.modified_at)[: 1 - _MAX_DRAFTS]:
            self._remove_draft(file)

    def _remove_draft(self, file: str) -> None:
        with suppress(OSError):  # in use by another process; the next draft removes it
            self._files.remove(file)

    def _under_another_name(self, owner: DraftOwner) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the files of the same form in a notebook of another name or file, and of version 0.1."""
        own, beginning = self._file_of(owner), f"{DRAFTS}/{readable_name(owner.cell)}"
        unnamed = self._file(DRAFTS, owner.cell) if owner.number == 1 else None
        for file in self._files.names(DRAFTS, ".json"):
            if file != own and file.startswith(beginning):
                content = self._read(file)
                earlier = content.get("owner")
                is_same = self._is_same(earlier, owner) if isinstance(earlier, dict) else file == unnamed
                if is_same and _draft_in(content) is not None:
                    yield file, content

    def _is_same(self, earlier: Mapping[str, Any], owner: DraftOwner) -> bool:
        """Return whether a draft is of the same form, in a notebook that was renamed or replaced since."""
        if any(earlier.get(name) != getattr(owner, name) for name in ("cell", "number")):
            return False
        file_id = earlier.get("file_id")
        if file_id and file_id == owner.file_id:
            return True
        # A copy may have got the name of the original, which was renamed.
        return earlier.get("notebook") == owner.notebook and not self._has_notebook(owner, file_id)

    def _has_notebook(self, owner: DraftOwner, file_id: object) -> bool:
        """Return whether another notebook with this identity is beside that of the owner."""
        notebook = self.folder / owner.notebook
        others = (path for path in notebook.parent.glob("*.ipynb") if path.name != notebook.name)
        return bool(file_id) and any(file_id_of(path) == file_id for path in others)

    def _file_of(self, owner: DraftOwner) -> str:
        digest = _digest(owner.name)
        return f"{DRAFTS}/{readable_name(owner.cell)}-{digest}.json"

    def _file(self, kind: str, name: str) -> str:
        # Readable for users; the hash keeps names apart that differ only in letters a file system equates.
        return f"{kind}/{readable_name(name)}-{_digest(name)}.json"

    def _read(self, file: str) -> dict[str, Any]:
        try:
            content = sanitised(json.loads(self._files.read(file, LARGEST)))
        except (OSError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, file: str, content: Mapping[str, Any]) -> None:
        redacted = hide_in(dict(content))  # text typed before the API key was known may contain it
        self._files.write(file, json.dumps(redacted, indent=2, default=str, ensure_ascii=False) + "\n")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]


def _tasks_in(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the tasks in a file's content."""
    keys = content.get("tasks")
    return tuple(dict.fromkeys(key for key in keys if isinstance(key, str))) if isinstance(keys, list) else ()


def _draft_in(content: Mapping[str, Any]) -> Draft | None:
    """Return the draft in a file's content; ``None`` if there is none."""
    fields, given, unsent = content.get("fields"), content.get("given"), content.get("unsent")
    if not (isinstance(fields, dict) and isinstance(given, dict)):
        return None
    waiting = unsent if isinstance(unsent, dict) else {}
    return Draft(fields, given, {name: kept for name, kept in waiting.items() if isinstance(kept, dict)})


def file_id_of(file: Path) -> str:
    """Return what still identifies a file when it was renamed; empty if there is none."""
    try:
        status = file.stat()
    except OSError:
        return ""
    return f"{status.st_dev}-{status.st_ino}"
