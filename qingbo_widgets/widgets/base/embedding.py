"""The decision whether players embed their videos in the notebook, within limits.

A player usually has the path of its file, which Jupyter serves. Where the page gets no files, or the user
wants a notebook that needs none, the video itself is in the output. That is sent to the page and saved with
the notebook, so it has limits: one for a video, and one for everything that is shown at a time.
"""

from __future__ import annotations

import weakref
from pathlib import Path

from ...i18n import N_, tr
from ...system.host import VOILA, host_without_files
from ...tasks import connection
from ...tasks.manager import TaskManager
from .sizes import size_text
from .sync import update

__all__ = ["COPY_LIMIT", "EMBED_LIMIT", "NOTEBOOK_LIMIT", "Embedding", "gets_files", "held_by", "setting_of"]

#: The maximum size in bytes of a video that may be embedded.
EMBED_LIMIT = 20 * 10**6
#: The maximum where the host limits an output, which base64 makes a third larger: Databricks to 10 MB.
_HOST_LIMITS = {"Databricks": 7 * 10**6}
#: The maximum of all videos that are embedded at a time.
NOTEBOOK_LIMIT = 100 * 10**6
#: The maximum in a copy that is sent again whenever one of its tasks ends.
COPY_LIMIT = EMBED_LIMIT
#: Hosts whose notebooks need no videos in the copies below live views: Colab saves the live views with the
#: notebook, and Voila saves none.
_WITHOUT_COPIES = ("Colab", VOILA)

_TOO_LARGE = N_("Not embedded: {name} is {size}, and the limit is {limit}. It is saved as {path}.")
_TOO_MUCH = N_(
    "Not embedded: {name} is {size}, and with the other videos here that is more than {limit}. To embed it "
    "all the same: task.show(embed=True)."
)


def setting_of(manager: TaskManager | None = None) -> bool | None:
    """Return the setting of a manager, by default that of the default manager. Never connect."""
    manager = manager or connection.default()
    return TaskManager.configured_embed() if manager is None else manager.embed


def gets_files(setting: bool | None) -> bool:
    """Return whether the page may get videos from the kernel's machine.

    Args:
        setting: ``False`` in Voila says that its options allow videos.
    """
    host = host_without_files()
    return not host or (host == VOILA and setting is False)


class Embedding:
    """The videos that one output embeds.

    Args:
        setting: whether to embed them; ``None`` for where the page gets no files.
        most: the maximum in bytes of all its videos; ``None`` for none, and for no common maximum either.
        is_copy: whether the output is the copy below a live view, which has the videos already.
    """

    def __init__(
        self, setting: bool | None, most: int | None = NOTEBOOK_LIMIT, *, is_copy: bool = False
    ) -> None:
        host = host_without_files()
        is_needed = bool(host) and not (is_copy and host in _WITHOUT_COPIES)
        #: Whether videos are embedded, within the limits.
        self.is_on = is_needed if setting is None else setting
        self._limit = _HOST_LIMITS.get(host, EMBED_LIMIT)
        if most is not None:
            most = min(most, _HOST_LIMITS.get(host, most))
        self.setting, self._most = setting, most
        self._sizes: dict[Path, int] = {}
        with update():
            _embeddings.add(self)

    @property
    def gets_files(self) -> bool:
        """True if a video that is not embedded may play from its file."""
        return gets_files(self.setting)

    def clear(self) -> None:
        """Forget the videos, because the output gets others."""
        with update():
            self._sizes.clear()

    def refusal(self, path: Path) -> str:
        """Add a video, and return an empty text; or return why it is not embedded.

        Raises:
            OSError: the file cannot be read.
        """
        size = path.stat().st_size
        if size > self._limit:
            return tr(_TOO_LARGE).format(
                name=path.name, size=size_text(size), limit=size_text(self._limit), path=path
            )
        with update():
            if self._most is not None and path not in self._sizes:
                others = {path: size for one in _embeddings for path, size in one._sizes.items()}
                here, everywhere = sum(self._sizes.values()), sum({**others, path: 0}.values())
                if here + size > self._most or everywhere + size > NOTEBOOK_LIMIT:
                    most = min(self._most, NOTEBOOK_LIMIT)
                    return tr(_TOO_MUCH).format(name=path.name, size=size_text(size), limit=size_text(most))
            self._sizes[path] = size
        return ""


def held_by(owner: object, setting: bool | None, *, is_copy: bool = False) -> Embedding:
    """Return the embedded videos of an object whose output is written several times, as long as it lives."""
    with update():
        of_owner = _owned.setdefault(owner, {})
        found = of_owner.get(is_copy)
        if found is None or found.setting is not setting:
            found = of_owner[is_copy] = Embedding(setting, is_copy=is_copy)
        return found


_embeddings: weakref.WeakSet[Embedding] = weakref.WeakSet()
_owned: weakref.WeakKeyDictionary[object, dict[bool, Embedding]]
_owned = weakref.WeakKeyDictionary()
