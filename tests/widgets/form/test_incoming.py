"""Files arrive in pieces, whole or not at all, whatever the page sends."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.widgets.form import incoming
from qingbo_widgets.widgets.form.incoming import PIECE, Incoming, base_name

LIMIT = 10 * PIECE


class Page:
    """The page of one control: sends files, and keeps what the kernel says."""

    def __init__(self, folder: Path | None) -> None:
        self.said: list[dict[str, Any]] = []
        self.files: list[tuple[Path, str]] = []
        self.lost: list[str] = []
        self.incoming = Incoming(
            lambda: folder, LIMIT, lambda *file: self.files.append(file), self.said.append, self.lost.append
        )

    def piece(self, content: bytes, at: int, *, key: str = "a", name: str = "koi.jpg") -> dict[str, Any]:
        """Send the piece of a file at this place, and return the answer."""
        message = {"kind": "piece", "id": key, "name": name, "size": len(content), "at": at}
        self.incoming.receive(message, [memoryview(content[at : at + PIECE])])
        return self.said[-1]

    def file(self, content: bytes, *, key: str = "a", name: str = "koi.jpg") -> None:
        """Send a whole file."""
        for at in range(0, len(content), PIECE):
            self.piece(content, at, key=key, name=name)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Return a page whose files are saved in the temporary folder of the test."""
    return Page(tmp_path)


def pictures(folder: Path) -> list[str]:
    """Return the names in the folder of pictures, hidden ones too."""
    return sorted(path.name for path in (folder / "chosen").iterdir())


def test_a_file_arrives_in_pieces(page: Page, tmp_path: Path) -> None:
    """Each piece is acknowledged; the complete file has a readable name and the content that was sent."""
    content = os.urandom(2 * PIECE + 5)
    assert page.piece(content, 0, name="锦鲤 pond.JPG") == {"kind": "taken", "id": "a", "at": PIECE}
    assert page.files == [], "half a file was handed over"
    page.piece(content, PIECE)
    assert page.piece(content, 2 * PIECE) == {"kind": "done", "id": "a"}
    ((path, name),) = page.files
    assert (path.read_bytes(), name) == (content, "锦鲤 pond.JPG")
    assert path.is_absolute()
    assert path.parent == tmp_path / "chosen"
    assert (path.name.rpartition("-")[0], path.suffix) == ("锦鲤-pond", ".jpg")


def test_the_same_file_twice_is_there_once(page: Page, tmp_path: Path) -> None:
    """The same picture sent again is handed over again, as the same file."""
    for key in "ab":
        page.file(b"a koi", key=key)
    assert page.files[0] == page.files[1]
    assert len(pictures(tmp_path)) == 1


def test_files_are_handed_over_in_the_order_in_which_they_were_chosen(page: Page) -> None:
    """A small file that arrives first waits for the large one before it, or for its end."""
    large = os.urandom(2 * PIECE)
    page.piece(large, 0, key="a", name="first.jpg")
    page.file(b"small", key="b", name="last.jpg")
    assert page.files == []
    page.piece(large, PIECE, key="a")
    assert [name for _, name in page.files] == ["first.jpg", "last.jpg"]

    page.piece(large, 0, key="c", name="first.jpg")
    page.file(b"small", key="d", name="alone.jpg")
    page.incoming.receive({"kind": "cancel", "id": "c"}, [])
    assert [name for _, name in page.files][2:] == ["alone.jpg"]


def test_lost_pieces_are_found_by_asking(page: Page) -> None:
    """A piece after a gap, or sent twice, changes nothing; asking says how much has arrived."""
    content = os.urandom(3 * PIECE)
    page.piece(content, 0)
    assert page.piece(content, 2 * PIECE)["at"] == PIECE, "a piece after a lost one was taken"
    assert page.piece(content, 0)["at"] == PIECE
    page.incoming.receive({"kind": "where", "id": "a", "sent": 3 * PIECE}, [])
    assert page.said[-1] == {"kind": "here", "id": "a", "at": PIECE, "sent": 3 * PIECE}
    for at in (PIECE, 2 * PIECE):
        page.piece(content, at)
    assert page.files[0][0].read_bytes() == content
    page.incoming.receive({"kind": "where", "id": "a", "sent": 3 * PIECE}, [])
    assert page.said[-1] == {"kind": "done", "id": "a"}, "the page would send the whole file again"
    page.incoming.receive({"kind": "where", "id": "unknown", "sent": PIECE}, [])
    assert page.said[-1]["at"] == 0


def discard(page: Page) -> None:
    """Cancel the file, as the button does."""
    page.incoming.receive({"kind": "cancel", "id": "a"}, [])


def close(page: Page) -> None:
    """Close the control."""
    page.incoming.close()


def forget(page: Page) -> None:
    """Lose the control without closing it, as the end of the kernel does."""
    del page.incoming
    gc.collect()


@pytest.mark.parametrize("end", [discard, close, forget])
def test_nothing_is_left_of_half_a_file(page: Page, tmp_path: Path, end: Callable[[Page], None]) -> None:
    """A file that is cancelled, or whose control is closed or gone, leaves nothing."""
    page.piece(os.urandom(2 * PIECE), 0)
    assert len(pictures(tmp_path)) == 1
    end(page)
    assert pictures(tmp_path) == []
    assert page.lost == []


def test_a_page_that_was_closed_is_named(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose page says that it is closed, or is silent for long, is lost; one that goes on is not."""
    content = os.urandom(2 * PIECE)
    page.piece(content, 0)
    page.incoming.receive({"kind": "cancel", "id": "a", "left": True}, [])
    assert page.lost == ["koi.jpg"]
    page.piece(content, 0, key="b", name="pond.jpg")
    page.incoming._end_if_idle()
    assert page.lost == ["koi.jpg"], "a page that has just sent a piece counts as closed"
    monkeypatch.setattr(incoming, "IDLE", -1.0)
    page.incoming._end_if_idle()
    assert page.lost == ["koi.jpg", "pond.jpg"]
    assert pictures(tmp_path) == []


@pytest.mark.parametrize(
    "message",
    [
        {"size": 0},
        {"size": -5},
        {"size": LIMIT + 1},
        {"size": "5"},
        {"size": True},
        {"size": 4},
        {"name": None},
        {"at": -1},
        {"at": "0"},
        {"id": "../a"},
        {"id": 7},
        {"id": ""},
        {"kind": "cancel"},
        {"kind": ["piece"]},
    ],
)
def test_a_page_that_sends_nonsense_saves_nothing(
    page: Page, tmp_path: Path, message: dict[str, Any]
) -> None:
    """Messages that no page of ours sends are refused, and leave no file."""
    page.incoming.receive(
        {"kind": "piece", "id": "a", "name": "koi.jpg", "size": 5, "at": 0, **message}, [memoryview(b"a koi")]
    )
    assert page.files == []
    assert not list(tmp_path.rglob("*.*"))


def test_pieces_too_large_too_long_or_empty_end_their_file(page: Page, tmp_path: Path) -> None:
    """A piece above a mebibyte, beyond the size, or without a byte ends its file, as too many files do."""
    for pieces in ([b"x" * (PIECE + 1)], [b""], [b"ab", b"ab"], [b"abcd"]):
        at = 0
        for piece in pieces:
            size = 3 if len(piece) < 5 else LIMIT
            message = {"kind": "piece", "id": "a", "name": "koi.jpg", "size": size, "at": at}
            page.incoming.receive(message, [piece])
            at += len(piece)
        assert page.said[-1] == {"kind": "refused", "id": "a", "text": ""}, pieces
        assert pictures(tmp_path) == []
    for key in "abcde":
        page.piece(b"x" * 2 * PIECE, 0, key=key)
    assert page.said[-1]["kind"] == "refused", "a page can open any number of files"
    page.incoming.close()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\koi.png", "koi.png"),
        ("a\x00b\nc.png", "ab c.png"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
    ],
)
def test_a_hostile_name_is_one_file_in_the_folder(page: Page, tmp_path: Path, name: str, shown: str) -> None:
    """Of a name with folders and control characters, only a visible last part is left."""
    assert base_name(name) == shown
    page.file(b"a koi", name=name)
    ((path, _),) = page.files
    assert path.parent == tmp_path / "chosen"
    assert not path.name.startswith(".")


def test_a_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    """If ``pictures`` is a link to elsewhere, nothing is written there, and the page says why."""
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    for folder in (library, elsewhere):
        folder.mkdir()
    (library / "chosen").symlink_to(elsewhere)
    page = Page(library)
    page.file(b"a koi")
    assert list(elsewhere.iterdir()) == []
    assert page.said[-1]["text"] == "koi.jpg could not be saved: it leads out of the folder."


def test_what_a_killed_kernel_has_left_is_removed(page: Page, tmp_path: Path) -> None:
    """Half a file of yesterday is removed by the next one; that of another kernel of today stays."""
    (tmp_path / "chosen").mkdir()
    old, new = (tmp_path / "chosen" / f".incoming-{name}" for name in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 100_000,) * 2)
    page.file(b"a koi")
    assert not old.exists()
    assert new.exists()


def test_without_a_library_files_are_temporary(workdir: Path) -> None:
    """A form that is not connected keeps files in a folder of the system, not beside the notebook."""
    page = Page(None)
    page.file(b"a koi")
    assert page.files[0][0].read_bytes() == b"a koi"
    assert list(workdir.iterdir()) == []
