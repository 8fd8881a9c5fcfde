"""Access to a folder's files by name never leaves the folder, for any name or link."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from qingbo_widgets.system import folder as module
from qingbo_widgets.system.folder import Folder, OutsideFolder, is_file_inside, open_inside, write_whole

SECRET = b"a private key"
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders and no O_NOFOLLOW")


@pytest.fixture(params=[True, False], ids=["step by step", "as on Windows"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Return a folder with a file, beside a file outside it, for both implementations (POSIX, Windows)."""
    if not request.param:
        monkeypatch.setattr(module, "_STEPS", False)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    (tmp_path / "videos" / "posters").mkdir(parents=True)
    (tmp_path / "videos" / "koi.mp4").write_bytes(b"koi")
    return Folder(tmp_path / "videos")


def link(place: Path, target: Path | str) -> None:
    """Create a symbolic link, or skip the test if the system does not permit it."""
    try:
        place.symlink_to(target, target_is_directory=Path(place.parent, target).is_dir())
    except OSError as error:
        pytest.skip(f"no symbolic links here: {error}")


@pytest.mark.parametrize(
    "name",
    [
        "../outside/secret",
        "posters/../../outside/secret",
        "..",
        ".",
        "",
        "koi\0.mp4",
        "/etc/passwd",
        "//host/share/koi.mp4",
    ],
)
def test_a_name_that_leads_out_is_refused(folder: Folder, name: str) -> None:
    """A name that leads out of the folder is refused for every operation."""
    with pytest.raises(OutsideFolder):
        folder.read(name, 100)
    assert not folder.has_file(name)


@pytest.mark.parametrize("target", ["../outside/secret", "../outside/none", "/dev/zero"])
def test_a_link_that_leads_out_is_refused(folder: Folder, target: str) -> None:
    """A link that leads out is neither read nor shown, even if its target does not exist."""
    link(folder.path / "cat.mp4", target)
    with pytest.raises(OutsideFolder, match="leads out of the folder"):
        folder.read("cat.mp4", 100)
    assert folder.place("cat.mp4") is None
    assert not is_file_inside(folder.path / "cat.mp4")


def test_a_link_that_stays_inside_is_followed(folder: Folder) -> None:
    """A link inside the folder, a link to the folder itself, and a hard link are followed."""
    link(folder.path / "cat.mp4", "koi.mp4")
    link(folder.path.with_name("shortcut"), folder.path)
    os.link(folder.path / "koi.mp4", folder.path / "hard.mp4")
    shortcut = Folder(folder.path.with_name("shortcut"))
    for name in ("koi.mp4", "cat.mp4", "hard.mp4"):
        assert folder.read(name, 3) == shortcut.read(name, 3) == b"koi"
        assert shortcut.place(name) == shortcut.path / name
    shortcut.write("posters/koi.jpg", b"poster")
    assert folder.read("posters/koi.jpg", 100) == b"poster"


@pytest.mark.parametrize("name", ["koi.mp4", "/elsewhere/koi.mp4", "../../koi.mp4"])
def test_only_the_last_part_of_a_path_is_used(folder: Folder, name: str) -> None:
    """Only the last part of a path is used, because a journal of another machine may have full paths."""
    assert folder.place(name) == folder.path / "koi.mp4"


def test_a_folder_that_leads_out_is_empty_and_is_not_written(folder: Folder) -> None:
    """A subfolder that leads out appears empty, and its target is not changed."""
    outside = folder.path.with_name("outside")
    (outside / "a.json").write_text("{}")
    link(folder.path / "drafts", "../outside")
    assert folder.names("drafts", ".json") == []
    assert folder.modified_at("drafts/a.json") == 0.0
    for act in (lambda: folder.write("drafts/b.json", b"x"), lambda: folder.remove("drafts/a.json")):
        with pytest.raises(OutsideFolder):
            act()
    assert sorted(file.name for file in outside.iterdir()) == ["a.json", "secret"]


def test_writing_replaces_a_link(folder: Folder) -> None:
    """Writing or removing a link's name affects the link, not its target."""
    secret = folder.path.with_name("outside") / "secret"
    link(folder.path / "koi.json", "../outside/secret")
    write_whole(folder.path / "koi.json", "{}")
    assert (folder.path / "koi.json").read_bytes() == b"{}"
    link(folder.path / "cat.json", "../outside/secret")
    folder.remove("cat.json")
    assert not os.path.lexists(folder.path / "cat.json")
    assert secret.read_bytes() == SECRET


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    """A file over the size limit raises, without being read into memory."""
    with (folder.path / "koi.json").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="too large"):
        folder.read("koi.json", 1000)


@POSIX
def test_a_pipe_does_not_block(folder: Folder) -> None:
    """A pipe is refused instead of waiting for a writer."""
    os.mkfifo(folder.path / "koi.json")
    with pytest.raises(OSError, match="not a file"):
        folder.read("koi.json", 1000)


@contextmanager
def swapping(place: Path, kept: Path, target: str) -> Iterator[None]:
    """In the background, alternate a path between its original and a link."""
    link(place.with_name("link"), target)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            with suppress(OSError):
                place.rename(kept)
                place.with_name("link").rename(place)
            with suppress(OSError):
                place.rename(place.with_name("link"))
                kept.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("folder", [True], indirect=True)
def test_a_link_put_in_place_between_check_and_use(folder: Folder, rules_of_posix: None) -> None:
    """A file that alternates with a link is read as itself or not at all."""
    read = set()
    with swapping(folder.path / "koi.mp4", folder.path / "kept", "../outside/secret"):
        for _ in range(3000):
            with suppress(OSError), open_inside(folder.path / "koi.mp4") as file:
                read.add(file.read())
    assert read == {b"koi"}


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("folder", [True], indirect=True)
def test_a_folder_turned_into_a_link_between_check_and_use(folder: Folder, rules_of_posix: None) -> None:
    """Nothing is written or removed through a folder that alternates with a link."""
    outside = folder.path.with_name("outside")
    with swapping(folder.path / "posters", folder.path / "kept", "../outside"):
        for _ in range(1500):
            with suppress(OSError):
                folder.write("posters/secret", b"mine")
            with suppress(OSError):
                folder.remove("posters/secret")
    assert [file.name for file in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET
