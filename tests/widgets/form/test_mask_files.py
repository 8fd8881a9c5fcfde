"""The files of painted masks, and how those of earlier versions are found again by their URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from qingbo_widgets.system.folder import Folder
from qingbo_widgets.widgets.form.mask_files import MaskFiles
from tests.widgets.form.painting import note_as_before

URL = "https://example.com/mask.png"


def test_the_same_mask_is_one_file(tmp_path: Path) -> None:
    """A mask is named after its size and content, in a folder of its own."""
    files = MaskFiles(tmp_path / "videos")
    first = files.save((1, 1, 4), 3, 2)
    assert first == files.save((1, 1, 4), 3, 2)
    assert first.parent == tmp_path / "videos" / "masks"
    assert first.name.startswith("mask-3x2-")
    assert files.save((1, 1, 4), 2, 3) != first, "a mask of another size replaced it"
    assert files.save((2, 1, 3), 3, 2) != first, "another mask replaced it"


def test_a_mask_is_found_by_each_of_its_urls(tmp_path: Path) -> None:
    """The file is found by any URL that an earlier version published it under, and its content is read."""
    files = MaskFiles(tmp_path)
    file = files.save((1, 1, 4), 3, 2)
    note_as_before(file, URL)
    note_as_before(file, URL + "?2")
    later = MaskFiles(tmp_path)
    assert later.file_of(URL) == later.file_of(URL + "?2") == file
    assert later.read(file) == file.read_bytes()
    assert later.file_of("https://example.com/other.png") is None
    file.unlink()
    assert later.file_of(URL) is None, "a mask that was deleted would be shown"


def test_a_mask_is_found_by_its_name_in_a_folder_that_was_moved(tmp_path: Path) -> None:
    """A preset has the path of the file; the folder may be elsewhere now, on another system too."""
    files = MaskFiles(tmp_path)
    file = files.save((1, 1, 4), 3, 2)
    assert files.own(f"/home/koi/qingbo_videos/masks/{file.name}") == file
    assert files.own(rf"C:\koi\masks\{file.name}") == file
    for other in ("", "koi.png", f"{file.name}.png", "../masks", file.name.replace("3x2", "2x3")):
        assert files.own(other) is None


def test_finding_a_mask_reads_one_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many masks a library has, a URL is looked up directly."""
    files = MaskFiles(tmp_path)
    for number in range(20):
        note_as_before(files.save((number + 1, 1, 40 - number), 7, 6), f"{URL}?{number}")
    opened: list[str] = []
    read = Folder.read
    monkeypatch.setattr(
        Folder, "read", lambda self, name, most: opened.append(name) or read(self, name, most)
    )
    assert files.file_of(f"{URL}?13") == files.save((14, 1, 27), 7, 6)
    assert files.file_of(f"{URL}?20") is None
    assert len(opened) == 2, f"two URLs were looked up in {len(opened)} files"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[",
        "[1]",
        "\0",
        "[" * 9_999,
        '{"mask": 5}',
        f'{{"url": "{URL}", "mask": 5}}',
        f'{{"url": "{URL}", "mask": "../secret.png"}}',
        f'{{"url": "{URL}?2", "mask": "MASK"}}',
    ],
)
def test_a_damaged_note_is_no_note(tmp_path: Path, note: str) -> None:
    """A note that cannot be read, or is about another URL or file, is ignored."""
    files = MaskFiles(tmp_path)
    file = files.save((1, 1, 4), 3, 2)
    written = note_as_before(file, URL)
    written.write_text(note.replace("MASK", file.name), encoding="utf-8")
    assert files.file_of(URL) is None


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """A link in a folder from elsewhere does not make the content of another file a mask."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    files = MaskFiles(tmp_path / "videos")
    file = files.save((1, 1, 4), 3, 2)
    note_as_before(file, URL)
    file.unlink()
    try:
        file.symlink_to(secret)
    except OSError:
        pytest.skip("this system has no symbolic links for this user")
    assert files.file_of(URL) is None
    assert files.own(str(file)) is None
