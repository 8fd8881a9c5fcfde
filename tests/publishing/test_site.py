"""A site gets what its pages show, from the published folder, and nothing is written elsewhere."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from qingbo_widgets.publishing.site import Site
from qingbo_widgets.publishing.sources import NotPublished, open_media

FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100)
PICTURE = b"\xff\xd8\xff\xe0" + bytes(100)


def save(path: Path, content: bytes = FILM) -> Path:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def save_video(path: Path) -> Path:
    """Write a video as the package saves it, with its sidecar and its poster."""
    save(path)
    save(path.parent / "posters" / f"{path.stem}.jpg", PICTURE)
    described = {
        "format": 1,
        "video": {"file": path.name, "bytes": len(FILM)},
        "request": {"prompt": "secret"},
    }
    save(path.with_suffix(".json"), json.dumps(described).encode())
    return path


def urls(page: Path) -> list[str]:
    """Return the values of ``src`` and ``href`` in a page."""
    return re.findall(r'(?:src|href)="([^"]*)"', page.read_text(encoding="utf-8"))


def names(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, without its pages."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".html"
    )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site whose source and output are empty."""
    (tmp_path / "home/project").mkdir(parents=True)
    (tmp_path / "home/site").mkdir()
    return Site(tmp_path / "home/project", tmp_path / "home/site")


Complete = Callable[..., Path]


@pytest.fixture
def complete(site: Site) -> Complete:
    """Return a function that writes a page with these URLs in ``<video>``, and completes it."""

    def run(*sources: str, page: str = "koi.html", folder: str | None = None) -> Path:
        markup = "".join(f'<video src="{source}"></video>' for source in sources)
        path = save(site.output / page, markup.encode())
        own = site.source / (Path(page).parent if folder is None else folder)
        site.complete(path, [own])
        return path

    return run


def test_a_page_at_the_place_of_its_notebook(site: Site, complete: Complete) -> None:
    """A page that finds its files stays as it is; a second time, nothing is copied."""
    save_video(site.source / "课程 1/videos #2 50%/锦鲤.mp4")
    url = "./" + quote("videos #2 50%/锦鲤.mp4")
    poster = "./" + quote("videos #2 50%/posters/锦鲤.jpg")
    page = complete(f"{url}#t=1", poster, page="课程 1/koi.html")
    assert names(site.output) == ["课程 1/videos #2 50%/posters/锦鲤.jpg", "课程 1/videos #2 50%/锦鲤.mp4"]
    assert urls(page) == [f"{url}#t=1", poster]
    assert site.missing == []
    assert site.report() == "Videos and pictures copied: 2 (0.0 MB)."
    again = Site(site.source, site.output)
    again.complete(page, [site.source / "课程 1"])
    assert again.report() == "Already there: 2."


def test_a_video_that_was_saved_again_is_copied_again(site: Site, complete: Complete) -> None:
    """A changed video replaces its copy of an earlier run, whether or not its size is another one."""
    video = save(site.source / "koi.mp4")
    page = complete("koi.mp4")
    for content in (FILM + b"longer", FILM + b"LONGER"):
        save(video, content)
        os.utime(video, (2**31, 2**31))
        Site(site.source, site.output).complete(page, [site.source])
        assert (site.output / "koi.mp4").read_bytes() == content


def test_a_page_in_a_folder_of_its_own(site: Site, complete: Complete) -> None:
    """Pages that lie deeper than their notebooks share the videos; completed again, they stay as they are."""
    save(site.source / "week/videos/koi.mp4")
    one = complete("./videos/koi.mp4?x=1#t=2", page="week/one/index.html", folder="week")
    two = complete("videos/koi.mp4", page="week/two/index.html", folder="week")
    assert names(site.output) == ["week/videos/koi.mp4"]
    assert urls(one) == ["../videos/koi.mp4?x=1#t=2"]
    again = Site(site.source, site.output)
    again.complete(two, [site.source / "week"])
    assert urls(two) == ["../videos/koi.mp4"]
    assert (again.missing, again.report()) == ([], "Already there: 1.")


def test_libraries_above_the_published_folder(site: Site, complete: Complete) -> None:
    """Videos of this package from above are put into the site, those of two libraries into two folders."""
    save_video(site.source.parent / "videos/koi.mp4")
    save_video(site.source.parent.parent / "videos/koi.mp4")
    page = complete("../videos/koi.mp4", "../videos/posters/koi.jpg", "../../videos/koi.mp4")
    assert urls(page) == ["./videos/koi.mp4", "./videos/posters/koi.jpg", "./videos-2/koi.mp4"]
    assert names(site.output) == ["videos-2/koi.mp4", "videos/koi.mp4", "videos/posters/koi.jpg"]
    outside = [name for name in names(site.output.parent) if not name.startswith("site/")]
    assert outside == ["videos/koi.json", "videos/koi.mp4", "videos/posters/koi.jpg"]


@pytest.mark.parametrize(
    "url",
    [
        "../../.ssh/id_rsa",
        "../../.ssh/key.mp4",
        "qingbo_videos/library.sqlite",
        "qingbo_videos/koi.json",
        "notes.mp4",
        "../private/family.mp4",
        "../private/posters/family.jpg",
        "..%2Fprivate%2Ffamily.mp4",
        "x/../../private/family.mp4",
        ".hidden/koi.mp4",
        "diagram.svg",
    ],
)
def test_other_files_are_not_published(site: Site, complete: Complete, tmp_path: Path, url: str) -> None:
    """A hostile notebook cannot publish keys, journals, prompts or private videos; the user is informed."""
    save(tmp_path / ".ssh/id_rsa", b"-----BEGIN")
    save(tmp_path / ".ssh/key.mp4")
    save(site.source / "qingbo_videos/library.sqlite", b"SQLite format 3\x00")
    save_video(site.source / "qingbo_videos/koi.mp4")
    save(site.source / "notes.mp4", b"my diary")
    save(site.source / "diagram.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    save(site.source / ".hidden/koi.mp4")
    save(site.source.parent / "private/family.mp4")
    save(site.source.parent / "private/posters/family.jpg", PICTURE)
    before = names(tmp_path)
    page = complete(url)
    assert names(site.output) == []
    assert urls(page) == [url]
    assert names(tmp_path) == before, "a file was written"
    assert len(site.missing) == 1
    assert str(site.missing[0]).startswith("koi.html: ")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/koi.mp4",
        "//example.com/koi.mp4",
        "/etc/koi.mp4",
        "file:///etc/koi.mp4",
        "data:video/mp4;base64,AAAA",
        "javascript:alert(1)",
        "C:/koi.mp4",
        "..\\koi.mp4",
        "koi%00.mp4",
        "#top",
        "",
        "http://[",
        "?x",
    ],
)
def test_urls_that_are_no_files_of_the_notebook(site: Site, complete: Complete, url: str) -> None:
    """URLs that are not relative, and those with characters that no file of ours has, are left alone."""
    page = complete(url)
    assert (urls(page), names(site.output), site.missing) == ([url], [], [])


@pytest.mark.parametrize("name", ["a" * 300 + ".mp4", "%FF.mp4", "%ED%A0%80.mp4", "./", "koi.mp4/x.mp4"])
def test_odd_names_are_missing(site: Site, complete: Complete, name: str) -> None:
    """A name that no file can have is that of a missing one."""
    save(site.source / "koi.mp4")
    complete(name)
    assert names(site.output) == []
    assert len(site.missing) == (name != "./")


def test_a_missing_video_is_reported_once(site: Site, complete: Complete) -> None:
    """The page, the file and the remedy are named; a link to a file of another kind is none of ours."""
    complete("./videos/koi%20one.mp4", "videos/koi%20one.mp4", "videos/koi%20one.mp4")
    assert str(site.missing[0]) == (
        "koi.html: ./videos/koi one.mp4 is missing: there is no such file; run the notebook to its end, with "
        "its videos finished."
    )
    assert len(site.missing) == 2
    page = save(site.output / "links.html", b'<a href="data.csv">data</a><a href="koi.json">x</a>')
    save(site.source / "koi.json", b"{}")
    site.complete(page, [site.source])
    assert len(site.missing) == 2
    assert names(site.output) == []


def test_what_the_other_program_has_copied_stays(site: Site, complete: Complete) -> None:
    """A file that is in the site and not in the source is neither missing nor replaced."""
    save(site.output / "_images/koi.png", b"\x89PNG\r\n\x1a\n")
    page = complete("_images/koi.png", "_static/../_images/koi.png")
    assert urls(page) == ["_images/koi.png", "_static/../_images/koi.png"]
    assert site.missing == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_out_of_the_folder(site: Site, complete: Complete, tmp_path: Path) -> None:
    """A link leads only to other files of the folder, or to a library of this package on another disk."""
    save(tmp_path / "private/family.mp4")
    save_video(tmp_path / "disk/videos/koi.mp4")
    save(site.source / "real.mp4")
    (site.source / "family.mp4").symlink_to(tmp_path / "private/family.mp4")
    (site.source / "private").symlink_to(tmp_path / "private")
    (site.source / "inner.mp4").symlink_to("real.mp4")
    (site.source / "loop.mp4").symlink_to("loop.mp4")
    (site.source / "qingbo_videos").symlink_to(tmp_path / "disk/videos")
    os.mkfifo(site.source / "pipe.mp4")
    complete("family.mp4", "private/family.mp4", "inner.mp4", "loop.mp4", "pipe.mp4", "qingbo_videos/koi.mp4")
    assert names(site.output) == ["inner.mp4", "qingbo_videos/koi.mp4"]
    assert [missing.url for missing in site.missing] == [
        "family.mp4",
        "private/family.mp4",
        "loop.mp4",
        "pipe.mp4",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_forged_library(site: Site, complete: Complete, tmp_path: Path) -> None:
    """Videos and sidecars of a hostile author do not publish private files to which their links lead."""
    save(tmp_path / "private/family.jpg", PICTURE)
    save(tmp_path / "private/family.mp4")
    library = site.source / "videos"
    save_video(library / "family.mp4")
    save_video(library / "linked.mp4")
    for path in (*library.glob("posters/*"), library / "linked.mp4"):
        path.unlink()
    (library / "posters").rmdir()
    (library / "posters").symlink_to(tmp_path / "private")
    (library / "linked.mp4").symlink_to(tmp_path / "private/family.mp4")
    complete("videos/family.mp4", "videos/posters/family.jpg", "videos/linked.mp4")
    assert names(site.output) == ["videos/family.mp4"]
    assert [missing.url for missing in site.missing] == ["videos/posters/family.jpg", "videos/linked.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_nothing_is_written_through_a_link_of_the_site(
    site: Site, complete: Complete, tmp_path: Path
) -> None:
    """A folder of the site that leads elsewhere gets no file; a file that is a link is replaced."""
    save(site.source / "videos/koi.mp4")
    save(site.source / "koi.mp4")
    other = save(tmp_path / "other/precious.txt", b"mine")
    (site.output / "videos").symlink_to(other.parent)
    (site.output / "koi.mp4").symlink_to(other)
    complete("videos/koi.mp4", "koi.mp4")
    assert names(other.parent) == ["precious.txt"]
    assert other.read_bytes() == b"mine"
    assert [missing.url for missing in site.missing] == ["videos/koi.mp4"]
    assert (site.output / "koi.mp4").read_bytes() == FILM


def test_a_site_beside_its_notebooks(tmp_path: Path) -> None:
    """Pages that lie beside their notebooks have everything already, and no file is written over itself."""
    video = save_video(tmp_path / "videos/koi.mp4")
    page = save(tmp_path / "koi.html", b'<video src="videos/koi.mp4">')
    before = video.stat()
    site = Site(tmp_path, tmp_path)
    site.complete(page, [tmp_path])
    assert video.stat() == before
    assert site.copied == {}


def test_a_file_that_cannot_be_written_is_missing(site: Site, complete: Complete) -> None:
    """A folder in the place of the file is an error of that file only."""
    save(site.source / "a/koi.mp4")
    save(site.source / "crane.mp4")
    save(site.output / "a", b"a file where a folder should be")
    complete("a/koi.mp4", "crane.mp4")
    assert [missing.url for missing in site.missing] == ["a/koi.mp4"]
    assert (site.output / "crane.mp4").is_file()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg", PICTURE),
        ("a.JPG", PICTURE),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.gif", b"GIF89a"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBP"),
        ("a.avif", b"\x00\x00\x00\x1cftypavif"),
        ("a.webm", b"\x1aE\xdf\xa3"),
        ("a.mov", b"\x00\x00\x00\x14ftypqt  "),
        ("a.mp4", b""),
        ("a.html", FILM),
        ("a.mp4", b"<html>"),
        ("a.jpg", b"SQLite format 3\x00"),
    ],
)
def test_kinds_of_files(tmp_path: Path, name: str, content: bytes) -> None:
    """Videos and pictures have the name and the content of one; whatever has only one of both is refused."""
    path = save(tmp_path / name, content)
    if name == "a.html" or content in (b"", b"<html>") or content.startswith(b"SQLite"):
        with pytest.raises(NotPublished, match="neither a video nor a picture"):
            open_media(path, tmp_path)
        return
    with open_media(path, tmp_path) as file:
        assert file.read() == content


def test_a_saved_video_in_the_folder_of_the_pages_stays(site: Site) -> None:
    """A user may publish into a folder that is a library itself; its videos were paid for."""
    saved = save_video(site.output / "koi.mp4")
    save(site.source / "koi.mp4", FILM + b"another")
    page = save(site.output / "page.html", b'<video src="koi.mp4"></video>')
    site.complete(page, [site.source])
    assert saved.read_bytes() == FILM, "a paid video has been overwritten"
    assert "has another video of that name" in " ".join(site.problems())
