"""Players refer to videos by relative path, and explain unreachable files."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from qingbo_widgets.library.library import Library
from qingbo_widgets.media.posters import make_poster
from qingbo_widgets.widgets.base import page_files, player
from qingbo_widgets.widgets.base.embedding import Embedding
from tests.films import written
from tests.places import StartKernel


def source(markup: str) -> str:
    """Return the source that the player plays."""
    match = re.search(r'<video src="([^"]*)"', markup)
    assert match, markup
    return unescape(match[1])


def embedded(path: Path) -> str:
    """Return the player of a notebook that embeds all videos."""
    return player.saved_html(path, Embedding(True))


@pytest.mark.parametrize(
    "name", ["koi.mp4", "一条锦鲤.mp4", "a b.mp4", "100%.mp4", "a#b?c.mp4", 'x"><script>.mp4', "a:b.mp4"]
)
def test_any_name_becomes_a_relative_url(name: str, workdir: Path) -> None:
    """Spaces, quotes and reserved URL characters are percent-encoded, and decode to the same name."""
    markup = player.video_html(workdir / "qingbo_videos" / name)
    assert unquote(source(markup)) == f"./qingbo_videos/{name}"
    assert not re.search(r'[\s#?"<>]', source(markup))
    assert "<script" not in markup


def test_the_player_does_not_load_the_whole_video(workdir: Path) -> None:
    """A player loads only the beginning of its video, and does not play automatically."""
    (workdir / "a.mp4").write_bytes(b"film")
    markup = player.video_html(workdir / "a.mp4")
    assert 'preload="metadata"' in markup
    assert "playsinline" in markup
    assert "autoplay" not in markup


def test_a_player_with_a_poster_loads_nothing(workdir: Path) -> None:
    """A poster lies behind the player, in the size of the video; the video waits for a click."""
    video = written(workdir / "a koi.mp4", size=(640, 360))
    assert make_poster(video) is not None
    markup = player.video_html(video)
    picture = re.search(r'<img src="([^"]*)"', markup)
    assert picture
    assert unquote(picture[1]).startswith("./posters/a koi")
    assert 'preload="none"' in markup
    assert 'poster="data:image/gif' in markup, "without a poster, browsers paint the player black"
    assert "aspect-ratio: 640 / 360" in markup
    assert markup.index("<img") < markup.index("<video"), "the picture would cover the controls"


@pytest.mark.parametrize("has_poster", [False, True])
def test_a_portrait_video_fits(workdir: Path, has_poster: bool) -> None:
    """A portrait video is neither wider than the cell nor higher than the screen."""
    video = written(workdir / "a.mp4", size=(360, 640))
    if has_poster:
        make_poster(video)
    markup = player.video_html(video)
    assert "max-width: 100%" in markup
    assert "width: 270px" in markup
    assert 'width="270" height="480"' in markup


def test_a_video_of_unknown_size_fits(workdir: Path) -> None:
    """The browser limits the size of a video in which this package finds none."""
    (workdir / "a.mp4").write_bytes(b"film")
    markup = player.video_html(workdir / "a.mp4")
    assert "max-width: 100%; max-height: 480px" in markup


def test_no_player_is_black(workdir: Path) -> None:
    """A video without a picture, saved or not, has the colour of a field until it is loaded."""
    (workdir / "a.mp4").write_bytes(b"film")
    for name in ("a.mp4", "later.mp4"):
        markup = player.video_html(workdir / name)
        assert "var(--jp-layout-color2" in markup
        assert "#000" not in markup
    assert 'preload="none"' in markup, "a file that is not there yet must not be requested"
    assert 'width="480" height="270"' in markup


def test_a_file_outside_the_folder_is_explained(workdir: Path, tmp_path: Path) -> None:
    """The caption explains when a file outside the notebook's folder plays, and the alternative."""
    (workdir / "notes").mkdir()
    os.chdir(workdir / "notes")
    markup = player.video_html(workdir / "a.mp4")
    assert source(markup) == "../a.mp4"
    assert "outside the notebook" in markup
    assert "embed=True" in markup


def test_a_hidden_folder_is_explained(workdir: Path) -> None:
    """The caption explains that Jupyter does not serve hidden folders."""
    assert "hidden folder" in player.video_html(workdir / ".videos" / "a.mp4")
    assert "hidden folder" not in player.video_html(workdir / "videos" / "a.mp4")


def test_another_drive_has_no_relative_path(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on another Windows drive gets an explanation instead of a player that stays black."""

    def refuse(*_: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", refuse)
    markup = player.video_html("D:/a.mp4")
    assert "<video" not in markup
    assert "another drive" in markup


def test_a_folder_with_two_paths_is_one(workdir: Path, start_kernel: StartKernel) -> None:
    """A link such as ``/tmp`` on macOS, or a Windows short name, does not make a video unreachable."""
    (workdir / "notes" / "qingbo_videos").mkdir(parents=True)
    link = workdir / "link"
    try:
        link.symlink_to(workdir / "notes", target_is_directory=True)
    except OSError:
        pytest.skip("links need a privilege on this Windows")
    video = workdir / "notes" / "qingbo_videos" / "a.mp4"
    start_kernel(workdir / "notes", link / "koi.ipynb")
    assert page_files.relative_url(video) == "./qingbo_videos/a.mp4"
    assert page_files.why_unreachable(video) is None


def test_a_library_that_is_a_link_is_reached_by_its_name(workdir: Path, start_kernel: StartKernel) -> None:
    """A linked library on another disk plays by the name of the link, the only one that Jupyter serves."""
    disk = workdir / "disk"
    (workdir / "notes").mkdir()
    disk.mkdir()
    try:
        (workdir / "notes" / "films").symlink_to(disk, target_is_directory=True)
    except OSError:
        pytest.skip("links need a privilege on this Windows")
    start_kernel(workdir / "notes", workdir / "notes" / "koi.ipynb")
    os.chdir(workdir)
    library = Library("films")
    video = library.video_path("A koi", "0123456789abcdef")
    library.folder.joinpath(video.name).write_bytes(b"film")
    assert (disk / video.name).is_file()
    assert page_files.relative_url(video) == f"./films/{video.name}"
    assert page_files.why_unreachable(video) is None


def test_the_notebooks_folder_survives_chdir(workdir: Path, start_kernel: StartKernel) -> None:
    """URLs stay relative to the notebook after the kernel has changed its directory."""
    (workdir / "elsewhere").mkdir()
    start_kernel(workdir, workdir / "koi.ipynb")
    os.chdir(workdir / "elsewhere")
    assert page_files.relative_url(workdir / "a.mp4") == "./a.mp4"


def test_the_caption_shows_path_and_size(workdir: Path) -> None:
    """The caption shows the path and size of the file."""
    (workdir / "a.mp4").write_bytes(bytes(2_500_000))
    assert "a.mp4, 2.5 MB" in player.video_html(workdir / "a.mp4")


def test_a_link_is_played_from_the_service() -> None:
    """A link keeps its signature unchanged, and only the beginning of the video is loaded."""
    url = 'https://videos.example.com/a.mp4?sign=a%2Fb&t=1&x="><script>'
    markup = player.link_html(f" {url} ")
    assert source(markup) == url
    assert 'preload="metadata"' in markup
    assert "<script" not in markup


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "file:///a.mp4", "data:video/mp4;base64,AA", "//x/a.mp4"]
)
def test_only_a_web_link_is_played(url: str) -> None:
    """A link from the service that is not http(s) gets no player."""
    assert player.link_html(url) == ""


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.mp4", b"\0\0\0\x18ftypisom", "video/mp4"),
        ("a.MP4", b"\0\0\0\x18ftypisom", "video/mp4"),
        # Chromium refuses data of the type video/quicktime, and plays them as mp4.
        ("a.mov", b"\0\0\0\x14ftypqt  ", "video/mp4"),
        ("a.webm", b"\x1aE\xdf\xa3\x9fB\x82\x84webm", "video/webm"),
        ("a.mp4", b"\x1aE\xdf\xa3\x9fB\x82\x84webm", "video/webm"),
        ("a.mkv", b"\x1aE\xdf\xa3\xa3B\x82\x88matroska", "video/x-matroska"),
    ],
)
def test_an_embedded_video_has_the_type_of_its_content(
    workdir: Path, name: str, content: bytes, kind: str
) -> None:
    """A browser needs the true type, whatever the ending of the file is."""
    (workdir / name).write_bytes(content)
    assert source(embedded(workdir / name)).startswith(f"data:{kind};base64,")


def test_an_animation_is_an_image(workdir: Path) -> None:
    """Browsers show a GIF as an image only: beside the notebook, in it, and at the service."""
    (workdir / "a.gif").write_bytes(b"GIF89a" + bytes(30))
    markups = {
        "./a.gif": player.video_html(workdir / "a.gif"),
        "data:image/gif;base64,": embedded(workdir / "a.gif"),
        "https://videos.example.com/a.GIF?sign=1": player.link_html(
            "https://videos.example.com/a.GIF?sign=1"
        ),
    }
    for start, markup in markups.items():
        assert f'<img src="{start}' in markup, "the player stays black"
        assert "<video" not in markup


def test_the_names_of_files_are_links(workdir: Path) -> None:
    """Each file is a link that Jupyter serves; its name is escaped."""
    markup = player.files_html([workdir / "koi-2.mp4", workdir / "<b>.mp4"])
    assert '<a href="./koi-2.mp4" target="_blank">koi-2.mp4</a>' in markup
    assert '<a href="./%3Cb%3E.mp4" target="_blank">&lt;b&gt;.mp4</a>' in markup


@pytest.mark.parametrize(
    ("name", "hint"), [("a.mov", ".mov"), ("A.MKV", ".mkv"), ("a.webm", ""), ("a.mp4", "")]
)
def test_a_video_that_not_every_browser_plays(workdir: Path, name: str, hint: str) -> None:
    """The caption of such a video says why the player may stay black."""
    (workdir / name).write_bytes(bytes(1000))
    for markup in (player.video_html(workdir / name), embedded(workdir / name)):
        assert (f"Some browsers cannot play {hint} files" in markup) is bool(hint)


def test_embedding_a_missing_file_shows_a_message(workdir: Path) -> None:
    """A removed file shows a message instead of a traceback."""
    assert "cannot be read" in embedded(workdir / "gone.mp4")


def test_a_page_that_cannot_load_the_video_shows_why(workdir: Path) -> None:
    """A hidden line after the player is shown by the player's own error, and names the way out."""
    (workdir / "a.mp4").write_bytes(b"film")
    unknown = player.video_html(workdir / "a.mp4")
    sized = player.video_html(written(workdir / "b.mp4"))
    for made, place, end in ((unknown, "this", ""), (sized, "this.parentElement", "</div>")):
        line = rf'onerror="const e={place}.nextElementSibling;[^"]*"[^>]*></video>{end}<div ([^>]*)>'
        shown = re.search(line, made)
        assert shown
        assert 'hidden=""' in shown[1]
        assert "task.show(embed=True)" in made


def test_an_embedded_video_needs_no_file(workdir: Path) -> None:
    """An embedded video cannot be missing, so nothing is said about files."""
    (workdir / "a.mp4").write_bytes(b"film")
    assert "onerror" not in embedded(workdir / "a.mp4")


def test_voila_is_told_its_option(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Voila, the hidden line names the option that lets it serve videos."""
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    made = re.sub(r"<[^>]*>", "", unescape(player.video_html(workdir / "a.mp4")))
    assert r"--VoilaConfiguration.file_allowlist='.*\.(png|jpg|mp4)'" in made
    assert not page_files.reach_note(workdir / "a.mp4"), "it may be set already"
