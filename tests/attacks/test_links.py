"""Attacks by an untrusted folder with links out of it: no target is read, written or removed."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qingbo_widgets import Client, Gallery, Library, QingboError, RequestForm, Sandbox, TaskManager, connect
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.presets import Draft, DraftOwner, Presets
from qingbo_widgets.library.sidecar import amend_sidecar, read_sidecar
from qingbo_widgets.media.frames import save_frame
from qingbo_widgets.media.posters import make_poster, read_poster
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.sandbox.order import Order, Shot
from qingbo_widgets.widgets.base.embedding import Embedding
from qingbo_widgets.widgets.base.player import saved_html
from qingbo_widgets.widgets.form.drafts import DraftKeeper
from tests.faults.film import film
from tests.widgets.page import html_of

SECRET = b"PRIVATE-KEY-OF-MINE"
ENCODED_SECRET = base64.b64encode(SECRET).decode()
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with files of the user: a private key and eighty measurements."""
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "id_rsa").write_bytes(SECRET)
    for number in range(80):
        (home / "data" / f"{number:02}.json").write_text("{}", encoding="utf-8")
    return home


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Iterator[Path]:
    """Yield a cloned folder with one good video; check at the end that the user's files are unchanged."""
    folder = tmp_path / "repository" / "qingbo_videos"
    folder.mkdir(parents=True)
    (folder / "koi.mp4").write_bytes(film(b"koi"))
    before = user_files(home)
    yield folder
    assert user_files(home) == before, "a file outside the folder has changed"


def user_files(home: Path) -> dict[str, bytes]:
    """Return the content of every file of the user, by its path."""
    return {str(path): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def link(place: Path, target: Path) -> None:
    """Create a relative symbolic link, which a repository can contain."""
    try:
        place.symlink_to(os.path.relpath(target, place.parent), target_is_directory=target.is_dir())
    except OSError as error:
        pytest.skip(f"this system has no symbolic links: {error}")


def test_a_poster_that_is_a_link(folder: Path, home: Path) -> None:
    """The gallery does not embed the target of a linked poster: notebooks are shared with others."""
    (folder / "posters").mkdir()
    link(folder / "posters" / "koi.jpg", home / "id_rsa")
    gallery = Gallery(Library.import_(folder))
    assert "qingbo-poster" in html_of(gallery.tiles)
    assert ENCODED_SECRET not in html_of(gallery)
    gallery.close()


@pytest.mark.slow
def test_a_linked_folder_of_posters(folder: Path, home: Path) -> None:
    """PosterQueue are neither read from nor created in a linked folder."""
    video = folder / "film.mp4"
    render(Order((Shot("koi", 5),), has_sound=True), video, draft=True)
    poster = make_poster(video)
    assert poster is not None
    outside = home / "data" / poster.name
    outside.write_bytes(poster.read_bytes())
    poster.parent.rename(folder / "own")
    link(folder / "posters", home / "data")
    assert read_poster(video) is None
    outside.unlink()
    assert make_poster(video) is None
    assert not outside.exists()


def test_a_hostile_poster_is_not_read(folder: Path) -> None:
    """A poster of 60,000 × 60,000 pixels, a huge file and an SVG are not read: they could harm the page."""
    (folder / "posters").mkdir()
    huge = b"\xff\xd8\xff\xc0\0\x11\x08\xea\x60\xea\x60\x03\x01\x11\0\x02\x11\1\x03\x11\1\xff\xd9"
    for content in (huge, huge.replace(b"\xea\x60", b"\1\0") + b"\0" * 10**6, b"<svg onload=alert(1)>"):
        (folder / "posters" / "koi.jpg").write_bytes(content)
        assert read_poster(folder / "koi.mp4") is None


@pytest.mark.parametrize("kind", ["drafts", "presets"])
def test_linked_folders_of_drafts_and_presets(folder: Path, home: Path, kind: str) -> None:
    """Typing and saving with linked folders neither removes nor reads a file of the user."""
    link(folder / kind, home / "data")
    presets, form = Presets(folder), RequestForm()
    keeper = DraftKeeper(form, presets, DraftOwner("a.ipynb", "a cell"))
    form.prompt = "h"
    keeper.close()
    for number in range(60 if kind == "drafts" else 0):
        with pytest.raises(OSError, match="leads out"):
            presets.save_draft(DraftOwner("a.ipynb", f"cell {number}"), Draft({"prompt": "x"}))
    if kind == "presets":
        assert presets.names() == []
        with pytest.raises(OSError, match="leads out"):
            presets.save("koi", {"prompt": "x"})
        with pytest.raises(KeyError):
            presets.load("koi")


def test_one_preset_that_is_a_link(folder: Path, home: Path) -> None:
    """A linked preset is not read, and saving under its name replaces the link with a file."""
    (home / "preset.json").write_text(json.dumps({"name": "koi", "fields": {"prompt": "secret"}}))
    presets = Presets(folder)
    presets.save("koi", {"prompt": "mine"})
    (file,) = (folder / "presets").iterdir()
    file.unlink()
    link(file, home / "preset.json")
    assert presets.names() == []
    with pytest.raises(KeyError):
        presets.load("koi")
    presets.save("koi", {"prompt": "mine"})
    assert presets.load("koi") == {"prompt": "mine"}
    (home / "preset.json").unlink()


@pytest.mark.slow
def test_a_video_that_is_a_link(folder: Path, home: Path, tmp_path: Path) -> None:
    """A linked video, or a file name that leads out of the folder, is no video of the library."""
    link(folder / "cat.mp4", home / "id_rsa")
    library = Library.import_(folder)
    assert [entry.file for entry in library.entries()] == ["koi.mp4"]
    for name in ("cat.mp4", str(home / "id_rsa"), "../../home/id_rsa", "//host/share/id_rsa", "..", "a\0b"):
        key = f"{len(library.entries()):032}"
        library.add(Entry(key, "https://qingbo.dev/v1", "task", status="completed", file=name))
        entry = library.get(key)
        assert entry is not None
        path = library.video_of(entry)
        assert path is None or path.parent == library.folder
        with TaskManager(Client("sk-test", "http://127.0.0.1:1/v1"), library) as manager:
            task = manager.adopt(key)
            assert task is not None
            assert task.video_path is None
    assert set(library.to_dataframe()["video"].dropna()) <= {
        library.folder / name for name in ("koi.mp4", "id_rsa")
    }


def test_a_video_that_turns_into_a_link(folder: Path, home: Path, tmp_path: Path) -> None:
    """A video replaced by a link is neither shown nor copied, although its task has the path already."""
    library = Library.import_(folder)
    (entry,) = library.entries()
    with TaskManager(Client("sk-test", "http://127.0.0.1:1/v1"), library) as manager:
        task = manager.adopt(entry.key)
        assert task is not None
        assert task.video_path == folder / "koi.mp4"
        (folder / "koi.mp4").unlink()
        link(folder / "koi.mp4", home / "id_rsa")
        for act in (
            lambda: task.export_html(tmp_path / "page.html"),
            lambda: task.export_html(tmp_path / "page"),
            lambda: task.save(tmp_path / "copy.mp4"),
            lambda: task.frame(0),
        ):
            with pytest.raises(QingboError):
                act()
        assert ENCODED_SECRET not in saved_html(task.video_path, Embedding(True))
    assert not (tmp_path / "copy.mp4").exists()


def test_a_linked_folder_of_an_exported_page(folder: Path, home: Path) -> None:
    """An exported page does not overwrite a user's file of the same name through a linked folder."""
    library = Library.import_(folder)
    (home / "data" / "koi.mp4").write_bytes(b"my own")
    (folder / "report").mkdir()
    link(folder / "report" / "videos", home / "data")
    with TaskManager(Client("sk-test", "http://127.0.0.1:1/v1"), library) as manager:
        task = manager.adopt(library.entries()[0].key)
        assert task is not None
        with pytest.raises(OSError, match="leads out of the folder"):
            task.export_html(folder / "report")
        page = task.export_html(folder / "page")
    assert (page.parent / "videos" / "koi.mp4").read_bytes() == film(b"koi")
    assert (home / "data" / "koi.mp4").read_bytes() == b"my own"
    (home / "data" / "koi.mp4").unlink()


def test_a_sidecar_that_is_a_link(folder: Path, home: Path) -> None:
    """The target of a linked sidecar is neither read nor written."""
    (home / "sidecar.json").write_text(json.dumps({"format": 1, "note": "secret"}))
    link(folder / "koi.json", home / "sidecar.json")
    assert read_sidecar(folder / "koi.mp4") is None
    amend_sidecar(folder / "koi.mp4", rating=5)
    library = Library.import_(folder)
    (entry,) = library.entries()
    library.judgements.rate(entry.key, 4)
    assert json.loads((home / "sidecar.json").read_text()) == {"format": 1, "note": "secret"}
    (home / "sidecar.json").unlink()


@pytest.mark.slow
def test_a_frame_that_is_a_link(folder: Path, home: Path, sandbox: Sandbox) -> None:
    """Continuing from a video uploads its last frame, not the target of a link of that name."""
    with TaskManager(Client(sandbox.api_key, sandbox.base_url), Library(folder), sandbox=sandbox) as manager:
        video = manager.submit(prompt="A koi").wait(60).video_path
    assert video is not None
    link(video.with_name(f"{video.stem}-last.png"), home / "id_rsa")
    assert save_frame(video, None).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_journal_that_is_a_link(folder: Path, home: Path, tmp_path: Path, is_there: bool) -> None:
    """A linked journal is not opened, and its target not created; the error gives the reason."""
    other = Library(tmp_path / "other")
    other.add(Entry("k" * 32, "https://qingbo.dev/v1", "task", request={"prompt": "private"}))
    other.close()
    target = other.folder / "library.sqlite"
    content = target.read_bytes()
    if not is_there:
        target.unlink()
    link(folder / "library.sqlite", target)
    library = Library(folder)
    for act in (library.entries, lambda: library.add(Entry("n" * 32, "x")), lambda: Library.import_(folder)):
        with pytest.raises(QingboError, match="leads out of its folder"):
            act()
    assert (target.read_bytes() == content) if is_there else not target.exists()


def test_links_in_place_of_sqlite_s_journal_files(folder: Path, home: Path) -> None:
    """Links in place of the files that SQLite creates beside the database neither leak nor damage data."""
    library = Library(folder)
    library.add(Entry("k" * 32, "x"))
    library.close()
    for end in ("-journal", "-wal", "-shm"):
        link(folder / f"library.sqlite{end}", home / "id_rsa")
        with suppress(QingboError, OSError):
            library.add(Entry(f"{end:>032}", "x"))
        library.close()
        (folder / f"library.sqlite{end}").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "library.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
def test_links_in_place_of_a_download_s_files(folder: Path, home: Path, sandbox: Sandbox) -> None:
    """A download replaces links in place of the video, its part and its note; their target is unchanged."""
    library = Library(folder)
    with TaskManager(Client(sandbox.api_key, sandbox.base_url), library, sandbox=sandbox) as manager:
        task = manager.submit(prompt="A koi")
        planned = task.planned_path
        for place in (
            planned,
            planned.with_name(f"{planned.name}.part"),
            planned.with_name(f"{planned.name}.etag"),
        ):
            link(place, home / "id_rsa")
        video = task.wait(60).video_path
        assert video == planned
        assert not video.is_symlink()
        assert video.stat().st_size > 1000


@pytest.mark.parametrize("key", ["/../../x", "../../..", "..\\..\\x", "a:b/c\0d", "k" * 32])
def test_a_key_that_is_a_path(folder: Path, key: str) -> None:
    """A video path stays in the folder even if the key, from an untrusted journal, is itself a path."""
    path = Library(folder).video_path("koi", key)
    assert path.parent == folder
    assert "\0" not in path.name
    assert ":" not in path.name


@pytest.mark.slow
def test_a_folder_that_is_a_link_of_the_user_s(folder: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    """A linked folder works as usual, because its owner may have moved it to another disk."""
    link(tmp_path / "videos", folder)
    with connect(sandbox.api_key, base_url=sandbox.base_url, library=str(tmp_path / "videos")) as manager:
        video = manager.submit(prompt="A koi").wait(60).video_path
        assert video is not None
        assert ENCODED_SECRET not in saved_html(video, Embedding(True))
        presets = Presets(tmp_path / "videos")
        presets.save("koi", {"prompt": "x"})
        assert presets.names() == ["koi"]
    assert len(Library.import_(tmp_path / "videos").entries()) == 2
