"""Tests of imports of folders as cameras, browsers and file managers leave them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets import Library, QingboError, set_locale
from qingbo_widgets.library.film_files import FilmFiles, LeftOut
from qingbo_widgets.library.importing import import_folder
from qingbo_widgets.library.sidecar import sidecar_path
from tests.faults.film import film
from tests.films import written

APPLE_DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(4072)
EBML = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
LONG_AGO = time.time() - 86_400


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Return a folder with one video."""
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "koi.mp4").write_bytes(film(b"koi"))
    return folder


def files_of(library: Library) -> list[str]:
    """Return the sorted names of the videos in a library."""
    return sorted(entry.file or "" for entry in library.entries())


def reason_of(library: Library, name: str) -> str:
    """Return the reason for which a file was left out, as the user reads it."""
    assert library.imported is not None
    reasons = {file.name: file.reason for file in library.imported.left_out}
    assert name in reasons, f"{name} is missing in the report:\n{library.imported}"
    return reasons[name]


def snapshot(folder: Path) -> dict[str, tuple[bytes, float]]:
    """Return content and time of change of the user's files; the journal is the library's own."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite"]
    return {str(path): (path.read_bytes(), path.stat().st_mtime) for path in files}


@pytest.mark.parametrize(
    "name",
    ["DSC_0042.MP4", "IMG_1.Mov", "a.webm", "b.m4v", "c.mkv", "一条锦鲤.mp4", "a b#%.mp4", "x.mp4.mp4"],
)
def test_videos_of_all_endings(card: Path, name: str) -> None:
    """The endings of cameras, phones and converters are imported, in letters of any case."""
    (card / name).write_bytes(EBML + bytes(99) if name.endswith(("webm", "mkv")) else film(b"x"))
    for _ in range(2):
        assert files_of(Library.import_(card)) == sorted(["koi.mp4", name])


def cut(content: bytes) -> bytes:
    """Return the beginning of a file, as an interrupted copy has it."""
    return content[: len(content) - 2]


#: Name and content of files that are no videos, and the beginning of the reason.
NO_VIDEOS = {
    "AppleDouble": ("._koi.mp4", APPLE_DOUBLE, "not a video, but metadata"),
    "hidden": (".koi2.mp4", film(b"x"), "hidden"),
    "a download of this package": ("a.mp4.0123abcd.part", film(b"x"), "an unfinished download"),
    "a download of Chrome": ("b.mp4.crdownload", film(b"x"), "an unfinished download"),
    "a download of Firefox": ("c.mp4.PART", film(b"x"), "an unfinished download"),
    "thumbnails": ("Thumbs.db", b"\xd0\xcf\x11\xe0", "not a video by its name"),
    "AVCHD": ("00001.MTS", b"\0\0\0\0G@\0\x10", "browsers do not play"),
    "AVI": ("clip.avi", b"RIFF\0\0\0\0AVI ", "browsers do not play"),
    "a text": ("text.mp4", b"a text\n" * 99, "its content is not a video"),
    "a web page": ("page.mp4", b"<!doctype html><title>404</title>", "its content is not a video"),
    "AppleDouble without its name": ("koi3.mp4", APPLE_DOUBLE, "its content is not a video"),
    "a picture": ("picture.mov", b"\xff\xd8\xff\xe0\0\x10JFIF", "its content is not a video"),
    "empty": ("empty.mp4", b"", "it is empty"),
    "being written": ("growing.mp4", cut(film(b"x" * 99)), "it is incomplete and was changed just now"),
    "without an index": ("cut.mp4", film(b"x")[:24] + b"\0\0\1\0mdat" + bytes(99), "it is incomplete and"),
}


@pytest.mark.parametrize("kind", NO_VIDEOS)
def test_a_file_that_is_no_video_is_named(card: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is not in the library, and the printed report has its name with the reason."""
    name, content, reason = NO_VIDEOS[kind]
    (card / name).write_bytes(content)
    before = snapshot(card)
    library = Library.import_(card)
    assert files_of(library) == ["koi.mp4"]
    assert reason_of(library, name).startswith(reason)
    printed = capsys.readouterr().out
    assert f"Left out: {name} ({reason}" in printed
    assert f"Videos added from {card}: 1." in printed
    assert snapshot(card) == before, "an import changes no file of the user"


def test_an_incomplete_file_of_yesterday(card: Path) -> None:
    """A video that was cut off plays up to there, and is imported; one without an index plays nowhere."""
    for name, content in (("cut.mp4", cut(film(b"x" * 99))), ("lost.mp4", b"\0\0\1\0mdat" + bytes(99))):
        (card / name).write_bytes(content)
        os.utime(card / name, (LONG_AGO, LONG_AGO))
    library = Library.import_(card)
    assert files_of(library) == ["cut.mp4", "koi.mp4"]
    assert "its index is missing" in reason_of(library, "lost.mp4")


def test_a_file_that_was_being_written_is_imported_later(card: Path) -> None:
    """A second import adds what was incomplete at the first, and nothing twice."""
    (card / "new.mp4").write_bytes(cut(film(b"x" * 99)))
    first = Library.import_(card)
    assert files_of(first) == ["koi.mp4"]
    (card / "new.mp4").write_bytes(film(b"x" * 99))
    second = Library.import_(card)
    assert files_of(second) == ["koi.mp4", "new.mp4"]
    assert second.imported is not None
    assert (second.imported.added, second.imported.known) == (("new.mp4",), 1)
    assert second.imported.left_out == ()


def test_real_videos_are_complete(card: Path) -> None:
    """Videos that were written a moment ago by an encoder are imported, in one piece and in fragments."""
    written(card / "real.mp4", 3)
    written(card / "real.mov", 3)
    written(card / "real.mkv", 3)
    written(card / "fragments.mp4", 3, container={"movflags": "frag_keyframe+empty_moov"})
    assert files_of(Library.import_(card)) == ["fragments.mp4", "koi.mp4", "real.mkv", "real.mov", "real.mp4"]


@pytest.mark.parametrize("name", ["no such folder", "koi.mp4", "a\0b", "loop", "~nobody-of-this-name"])
def test_a_folder_that_is_not_there(card: Path, name: str) -> None:
    """The error names the path, and nothing is created there."""
    if name == "loop":
        link(card / "loop", card / "loop")
    before = sorted(card.iterdir())
    with pytest.raises(QingboError) as caught:
        Library.import_(name if name.startswith("~") else card / name)
    assert name in str(caught.value)
    assert sorted(card.iterdir()) == before, "a folder was created for a misspelt name"


def link(place: Path, target: Path) -> None:
    """Create a symbolic link."""
    try:
        place.symlink_to(target)
    except OSError as error:
        pytest.skip(f"this system has no symbolic links: {error}")


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("out.mp4", "../private.mp4", "a link that leads out of the folder"),
        ("loop.mp4", "loop.mp4", "a link that leads nowhere"),
        ("broken.mp4", "gone.mp4", "a link that leads nowhere"),
        ("second.mp4", "koi.mp4", "a link to a file in this folder"),
    ],
)
def test_links(card: Path, name: str, target: str, reason: str) -> None:
    """A link out of the folder, to nothing, or to a video that is imported anyway is left out by name."""
    (card.parent / "private.mp4").write_bytes(film(b"private"))
    link(card / name, Path(target))
    library = Library.import_(card)
    assert files_of(library) == ["koi.mp4"]
    assert reason_of(library, name) == reason


def test_a_link_to_a_file_below_the_folder(card: Path) -> None:
    """A video that is stored below the folder, as git-annex does it, is imported by its link."""
    (card / ".store").mkdir()
    (card / ".store" / "1234").write_bytes(film(b"x"))
    link(card / "annex.mp4", Path(".store", "1234"))
    assert files_of(Library.import_(card)) == ["annex.mp4", "koi.mp4"]


def test_subfolders_with_videos_are_named(card: Path) -> None:
    """Only the folder itself is imported; a subfolder with videos is named, one without is not."""
    for name in ("100CANON", "posters", ".hidden", "film.mp4"):
        (card / name).mkdir()
    for name in ("100CANON", ".hidden"):
        (card / name / "a.MP4").write_bytes(film(b"x"))
    (card / "posters" / "a.jpg").write_bytes(b"x")
    library = Library.import_(card)
    assert files_of(library) == ["koi.mp4"]
    assert library.imported is not None
    assert {file.name for file in library.imported.left_out} == {"100CANON", "film.mp4"}
    assert reason_of(library, "100CANON") == "a folder; import it separately"


def test_the_library_s_own_files_are_not_reported(card: Path) -> None:
    """Journal, sidecars, saved frames and hidden files of the system are no files that a user misses."""
    for name in ("koi.json", "koi-last.png", "library-0.1.0.sqlite", ".DS_Store", "._.DS_Store"):
        (card / name).write_bytes(b'{"format": 1}')
    Library.import_(card).judgements.rate(Library(card).entries()[0].key, 3)
    assert Library.import_(card).imported is not None
    assert FilmFiles(card).left_out == []


def test_the_same_video_twice(card: Path) -> None:
    """Two files with the same bytes are two videos, each once, however often they are imported."""
    (card / "copy.mp4").write_bytes(film(b"koi"))
    (card / "copy.MP4").write_bytes(film(b"koi"))
    expected = sorted(path.name for path in card.iterdir())
    for _ in range(3):
        assert files_of(Library.import_(card)) == expected


def test_names_in_other_normal_forms(card: Path) -> None:
    """Names whose accents are separate characters, as macOS writes them, are imported once."""
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "café 한글.mp4")
        (card / name).write_bytes(film(b"x"))
    expected = sorted(path.name for path in card.iterdir())
    for _ in range(2):
        library = Library.import_(card)
        assert files_of(library) == expected
    assert all((card / name).is_file() for name in files_of(library))


def foreign(video: Path) -> str:
    """Write a JSON file of another program beside a video."""
    sidecar_path(video).write_text('{"title": "x", "key": "k"}', encoding="utf-8")
    return "not a sidecar of this package"


def of_another(video: Path) -> str:
    """Write the sidecar of another video of the folder beside a video."""
    (video.parent / "other.mp4").write_bytes(film(b"another one"))
    content = {"format": 1, "key": "k", "request": {"prompt": "wrong"}, "rating": 5,
               "video": {"file": "other.mp4", "bytes": len(film(b"another one"))}}  # fmt: skip
    sidecar_path(video).write_text(json.dumps(content), encoding="utf-8")
    return "it describes another video"


@pytest.mark.parametrize("write", [foreign, of_another])
def test_a_sidecar_that_does_not_belong(card: Path, write: Callable[[Path], str]) -> None:
    """The video is imported without the file, which is named and not changed, even by a rating."""
    reason = write(card / "koi.mp4")
    before = snapshot(card)
    library = Library.import_(card)
    (entry,) = [entry for entry in library.entries() if entry.file == "koi.mp4"]
    assert entry.prompt == ""
    assert library.judgements.of(entry.key).rating is None
    assert reason_of(library, "koi.json").startswith(reason)
    assert snapshot(card) == before


def test_videos_of_one_name_have_their_own_sidecars(card: Path) -> None:
    """A rating of koi.mov is not written into the sidecar of koi.mp4."""
    (card / "koi.mov").write_bytes(film(b"mov"))
    library = Library.import_(card)
    for entry in library.entries():
        library.judgements.rate(entry.key, 5 if entry.file == "koi.mp4" else 1)
    library.close()
    (card / "library.sqlite").unlink()
    again = Library.import_(card)
    ratings = {entry.file: again.judgements.of(entry.key).rating for entry in again.entries()}
    assert ratings == {"koi.mp4": 5, "koi.mov": 1}


@pytest.mark.parametrize("name", ["koi.avi", "koi.gif", "odd.mp4"])
def test_a_saved_video_of_another_kind(card: Path, name: str) -> None:
    """A video that this package has saved, paid for in whatever form, is restored by its sidecar."""
    video = card / name
    video.write_bytes(b"RIFF\0\0\0\0AVI ")
    described = {"file": name, "bytes": video.stat().st_size}
    content = {"format": 1, "key": "k" * 32, "request": {"prompt": "a koi"}, "video": described}
    sidecar_path(video).write_text(json.dumps(content), encoding="utf-8")
    entries = {entry.file: entry for entry in Library.import_(card).entries()}
    assert set(entries) == {"koi.mp4", name}
    assert entries[name].prompt == "a koi"


def test_a_video_whose_ending_was_renamed(card: Path) -> None:
    """A user who renames koi.mp4 to koi.m4v keeps its prompt, and its later rating."""
    content = {"format": 1, "key": "k" * 32, "request": {"prompt": "a koi"}}
    (card / "koi.json").write_text(json.dumps(content), encoding="utf-8")
    (card / "koi.mp4").rename(card / "koi.m4v")
    library = Library.import_(card)
    library.judgements.rate("k" * 32, 4)
    library.close()
    (card / "library.sqlite").unlink()
    again = Library.import_(card)
    (entry,) = again.entries()
    assert (entry.prompt, again.judgements.of(entry.key).rating) == ("a koi", 4)


UNREADABLE = """
import os, sys
from qingbo_widgets import QingboError
from qingbo_widgets.library.film_files import FilmFiles
from qingbo_widgets.library.importing import _listing
from pathlib import Path
os.seteuid(65534)
print(FilmFiles(Path(sys.argv[1])).check("koi.mp4"))
try:
    _listing(Path(sys.argv[1]) / "locked")
except QingboError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
def test_what_the_user_may_not_read(card: Path) -> None:
    """A file that may not be read is left out with the system's reason; such a folder is an error."""
    (card / "locked").mkdir(mode=0o700)
    (card / "koi.mp4").chmod(0o600)
    for folder in (card, *card.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", UNREADABLE, str(card)], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "Permission denied",
        f"The folder {card / 'locked'} cannot be read: Permission denied.",
    ], done.stderr


def test_a_file_that_vanishes_during_the_import(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program removes after it was checked is left out; the others are imported."""
    (card / "a.mp4").write_bytes(film(b"a"))
    check = FilmFiles.check

    def removing(files: FilmFiles, name: str) -> str | None:
        reason = check(files, name)
        if name == "a.mp4":
            (card / name).unlink()
        return reason

    monkeypatch.setattr(FilmFiles, "check", removing)
    library = Library.import_(card)
    assert files_of(library) == ["koi.mp4"]
    assert "No such file" in reason_of(library, "a.mp4")


def test_a_long_report_names_some_and_counts_the_others(card: Path) -> None:
    """Five hundred photos do not fill the notebook, but all are in the report's attributes."""
    for number in range(500):
        (card / f"IMG_{number:03}.JPG").write_bytes(b"\xff\xd8")
    report = import_folder(Library(card))
    assert len(report.left_out) == 500
    assert report.left_out[0] == LeftOut("IMG_000.JPG", "not a video by its name")
    named = ", ".join(f"IMG_{number:03}.JPG" for number in range(30))
    assert str(report).splitlines()[1] == f"Left out: {named} and 470 more (not a video by its name)."


def test_the_report_in_chinese(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report is in the language of the notebook."""
    (card / "empty.mp4").write_bytes(b"")
    set_locale("zh")
    Library.import_(card)
    assert capsys.readouterr().out.splitlines() == [
        f"从 {card} 新增视频 1 个，视频库中原有 0 个。",
        "未导入：empty.mp4（文件为空）。",
    ]


@pytest.mark.slow
def test_very_many_files(card: Path) -> None:
    """A thousand videos are imported in seconds, and a second import is quick."""
    for number in range(1000):
        (card / f"{number:04}.mp4").write_bytes(film(b"%d" % number))
    started = time.monotonic()
    assert len(files_of(Library.import_(card))) == 1001
    assert time.monotonic() - started < 60
    assert import_folder(Library(card)).known == 1001
