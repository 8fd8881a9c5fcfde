"""Videos are embedded where the page gets no files, or where the user wants it, and within limits."""

from __future__ import annotations

import gc
import re
from html import unescape
from pathlib import Path

import pytest

from qingbo_widgets.widgets.base import embedding
from qingbo_widgets.widgets.base.embedding import EMBED_LIMIT, Embedding, gets_files, held_by
from qingbo_widgets.widgets.base.player import saved_html, video_html
from tests.films import written

#: What each host sets in its kernels.
HOSTS = {
    "Colab": {"COLAB_RELEASE_TAG": "release-colab"},
    # Kaggle's image is made from Colab's.
    "Kaggle": {"COLAB_RELEASE_TAG": "release-colab", "KAGGLE_KERNEL_RUN_TYPE": "Interactive"},
    "Deepnote": {"DEEPNOTE_PROJECT_ID": "1"},
    "Databricks": {"DATABRICKS_RUNTIME_VERSION": "16.4"},
    "Voila": {"SERVER_SOFTWARE": "voila/0.5.13"},
}


@pytest.fixture(params=[*HOSTS])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the environment of a host, and return its name."""
    for name, value in HOSTS[request.param].items():
        monkeypatch.setenv(name, value)
    return str(request.param)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits so small that a test can reach them: 1000 bytes a video, 2500 in all."""
    gc.collect()  # the outputs of other tests
    monkeypatch.setattr(embedding, "_embeddings", type(embedding._embeddings)())
    monkeypatch.setattr(embedding, "EMBED_LIMIT", 1000)
    monkeypatch.setattr(embedding, "NOTEBOOK_LIMIT", 2500)


def film(folder: Path, name: str, size: int = 1000) -> Path:
    """Write a file of a size, and return its path."""
    (folder / name).write_bytes(bytes(size))
    return folder / name


def is_embedded(html: str) -> bool:
    """Return whether a player has its video in the page."""
    return bool(re.search(r'<video src="data:video/', html))


def test_jupyter_plays_files(workdir: Path) -> None:
    """A server that gives the page its files has small notebooks, unless the user wants them whole."""
    path = film(workdir, "a.mp4")
    assert 'src="./a.mp4"' in saved_html(path, Embedding(None))
    assert 'src="./a.mp4"' in saved_html(path, Embedding(False))
    assert is_embedded(saved_html(path, Embedding(True)))


def test_a_host_that_serves_no_files_gets_the_video(workdir: Path, host: str) -> None:
    """The player has the video without a word of the user; who forbids it gets the reason, or the option."""
    path = film(workdir, "a.mp4")
    assert is_embedded(saved_html(path, Embedding(None)))
    refused = unescape(saved_html(path, Embedding(False)))
    assert 'src="./a.mp4"' in refused
    if host == "Voila":
        assert "--VoilaConfiguration.file_allowlist" in refused
    else:
        assert f"{host} serves no files to the page" in refused
    assert gets_files(None) is False
    assert gets_files(False) is (host == "Voila"), "only Voila has an option to serve videos"


def test_a_copy_below_a_live_view(workdir: Path, host: str) -> None:
    """Colab saves live views with the notebook, and Voila saves no notebook: a copy would double both."""
    path = film(workdir, "a.mp4")
    has_copies = host not in ("Colab", "Voila")
    assert is_embedded(saved_html(path, Embedding(None, is_copy=True))) is has_copies
    assert is_embedded(saved_html(path, Embedding(True, is_copy=True)))


def test_a_large_video_is_not_embedded(workdir: Path, small: None) -> None:
    """The line says which video is too large, the limit and where it is; the player tries the file."""
    path = film(workdir, "long.mp4", 1001)
    html = saved_html(path, Embedding(True))
    assert "Not embedded: long.mp4 is 1 kB, and the limit is 1 kB." in html
    assert str(path) in html
    assert 'src="./long.mp4"' in html


def test_a_large_video_where_no_file_can_play(
    workdir: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A player that certainly stays grey is left out."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    html = saved_html(film(workdir, "long.mp4", 1001), Embedding(None))
    assert "Not embedded: long.mp4" in html
    assert "<video" not in html


def test_databricks_limits_an_output(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Databricks shows no output of more than 10 MB, and base64 makes a video a third larger."""
    path = film(workdir, "a.mp4", 8 * 10**6)
    assert path.stat().st_size < EMBED_LIMIT
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "16.4")
    assert "the limit is 7.0 MB" in saved_html(path, Embedding(None))
    output, films = Embedding(None), [film(workdir, f"{name}.mp4", 4 * 10**6) for name in "bc"]
    shown = [is_embedded(saved_html(path, output)) for path in films]
    assert shown == [True, False], "the videos of one output are more than it may have"


def test_a_notebook_has_a_limit(workdir: Path, small: None) -> None:
    """All outputs together stay below the limit; what is left out says so, and an asked-for video is in."""
    outputs = [Embedding(True) for _ in range(3)]
    films = [film(workdir, f"{number}.mp4") for number in range(3)]
    shown = [saved_html(path, output) for path, output in zip(films, outputs, strict=True)]
    assert [is_embedded(html) for html in shown] == [True, True, False]
    assert "Not embedded: 2.mp4 is 1 kB, and with the other videos here that is more than 2 kB." in shown[2]
    assert "task.show(embed=True)" in shown[2]
    assert is_embedded(saved_html(films[2], Embedding(True, most=None)))


def test_a_video_counts_once(workdir: Path, small: None) -> None:
    """A cell that is run again, or another view of the same video, takes nothing from the others."""
    first, second, third = (film(workdir, f"{number}.mp4") for number in range(3))
    owner = type("Owner", (), {})()
    for _ in range(5):
        assert is_embedded(saved_html(first, held_by(owner, True)))
    others = Embedding(True), Embedding(True)
    assert is_embedded(saved_html(first, others[0]))
    assert is_embedded(saved_html(second, others[1]))
    assert not is_embedded(saved_html(third, others[1]))


def test_what_is_gone_takes_no_room(workdir: Path, small: None) -> None:
    """An output that gets another video, or whose owner is gone, makes room."""
    films = [film(workdir, f"{number}.mp4") for number in range(9)]
    player = Embedding(True)
    for path in films:
        player.clear()
        assert is_embedded(saved_html(path, player)), "the gallery stops playing after some videos"
    owner = type("Owner", (), {})()
    held_by(owner, True).refusal(films[0])
    assert not is_embedded(saved_html(films[1], Embedding(True)))
    del owner
    gc.collect()
    assert is_embedded(saved_html(films[1], Embedding(True)))


def test_an_embedded_player_has_its_place(workdir: Path) -> None:
    """The space of an embedded video is as large as the video before the page has decoded it."""
    path = written(workdir / "a.mp4", size=(640, 360))
    assert "aspect-ratio: 640 / 360" in saved_html(path, Embedding(True))
    assert "onerror" not in saved_html(path, Embedding(True)), "an embedded video cannot be missing"
    assert "qw.connect(embed=True)" in video_html(path), "the line for a page that cannot get the file"
