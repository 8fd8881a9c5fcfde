"""``inline``: a video that an answer has in place of a link is saved in the way of a download."""

from __future__ import annotations

from pathlib import Path

import pytest

from qingbo_widgets.exceptions import DownloadFailed
from qingbo_widgets.service.inline import save_content
from tests.faults.film import film

FILM = film(bytes(range(256)) * 5000)


def test_the_content_is_saved(tmp_path: Path) -> None:
    """The file has every byte, the progress ends at the whole, and nothing else is left in the folder."""
    seen: list[tuple[int, int | None]] = []
    path = save_content(
        FILM, tmp_path / "koi.mp4", lambda *now: seen.append(now), max_bytes=2**30, film="koi"
    )
    assert path.read_bytes() == FILM
    assert seen[-1] == (len(FILM), len(FILM))
    assert [file.name for file in tmp_path.iterdir()] == ["koi.mp4"]


@pytest.mark.parametrize(
    ("content", "most", "words"),
    [
        (FILM[:-100], 2**30, "incomplete"),
        (b"<html>" + bytes(100), 2**30, "web page"),
        (FILM, 1000, "the limit is"),
    ],
    ids=["cut", "page", "large"],
)
def test_content_that_is_no_whole_video(tmp_path: Path, content: bytes, most: int, words: str) -> None:
    """A video that is cut, too large or none is refused, and leaves no file."""
    with pytest.raises(DownloadFailed, match=words):
        save_content(content, tmp_path / "koi.mp4", max_bytes=most, film="koi")
    assert list(tmp_path.iterdir()) == []
