"""A path where the service takes a URL: the error names the way, for the sandbox and for the service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.tasks.local_files import explained
from tests.places import StartKernel

WAY = r"manager\.sandbox\.publish\(path\) returns a URL"
NO_FILE = "There is no such file here."


@pytest.fixture
def picture(workdir: Path) -> Path:
    """Return a picture in the current folder, which is that of a notebook."""
    Image.new("RGB", (64, 36)).save("a.png")
    Path("folder.png").mkdir()
    return Path("a.png")


@pytest.fixture
def in_sandbox(sandbox: qw.Sandbox, tmp_path: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager like that of ``connect(sandbox=…)``."""
    client = qw.Client(sandbox.api_key, sandbox.base_url)
    with qw.TaskManager(client, qw.Library(tmp_path / "videos"), sandbox=sandbox) as manager:
        yield manager


@pytest.mark.parametrize("path", ["a.png", "./a.png"])
def test_a_file_in_place_of_a_url_names_the_way_of_the_sandbox(
    in_sandbox: qw.TaskManager, picture: Path, path: str
) -> None:
    """``generate(image_urls=["a.png"])`` says how to get a URL, and that way works."""
    with pytest.raises(qw.InvalidRequest, match=rf"a\.png' is a file .*{WAY}.*needs a public http\(s\) URL"):
        in_sandbox.submit(prompt="A koi", image_urls=[path])
    assert in_sandbox.sandbox is not None
    url = in_sandbox.sandbox.publish(path)
    assert qw.VideoRequest(prompt="A koi", image_urls=[url]).problems() == ()


def test_a_sweep_names_the_way_too(in_sandbox: qw.TaskManager, picture: Path) -> None:
    """So does a sweep, in each combination that has the file."""
    with pytest.raises(qw.InvalidRequest, match=WAY):
        qw.sweep(prompt=["A koi", "A heron"], image_urls=["a.png"], manager=in_sandbox)
    assert in_sandbox.tasks == ()


def test_a_missing_file_is_called_missing(manager: qw.TaskManager, workdir: Path) -> None:
    """A misspelt path is not taken for a misspelt URL only."""
    with pytest.raises(
        qw.InvalidRequest, match=r"enter a public http\(s\) URL instead of 'b\.png'.*no such file"
    ) as raised:
        manager.submit(prompt="A koi", image_urls=["b.png"])
    assert "publish" not in str(raised.value)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("kling-v3-omni", {"image_with_roles": [{"url": "a.png", "role": "reference"}]}, "publish(path)"),
    ("kling-v3", {"image_urls": ["a.png"], "last_frame": "https://example.com/b.png"}, "publish(path)"),
    ("kling-v3", {"image_urls": ["https://example.com/b.png"], "last_frame": "a.png"}, "publish(path)"),
    ("kling-v3-omni", {"video_urls": ["gone.mp4"]}, NO_FILE),
    ("kling-v3", {"image_urls": ["ftp://example.com/b.png"]}, ""),
    ("kling-v3", {"image_urls": ["data:image/png;base64,AAAA"]}, ""),
    ("kling-v3", {"image_urls": [" "]}, ""),
    ("kling-v3", {"image_urls": [7]}, ""),
    ("kling-v3", {"image_urls": ["folder.png"]}, ""),
    ("kling-v3", {"image_urls": [r"\\nas\share\a.png"]}, ""),
    ("kling-v3", {"image_urls": ["//nas/share/a.png"]}, ""),
    ("kling-v3", {"image_urls": ["~/a.png"]}, NO_FILE),
    ("kling-v3", {"image_urls": ["  a.png "]}, "Without the blanks at its ends, it is a file"),
    ("kling-v3", {"image_urls": ["a.png\n"]}, "publish(path)"),
    ("kling-v3", {"callback_url": "a.png"}, ""),
    ("kling-v3", {"callback_url": "gone.png"}, ""),
    ("kling-v3", {"duration": 99}, ""),
]


@pytest.mark.parametrize(("model", "fields", "advice"), REFUSED)
def test_only_paths_get_the_advice(picture: Path, model: str, fields: dict[str, Any], advice: str) -> None:
    """Files, missing files and texts that are no path get different advice, in every field with a URL."""
    request = qw.VideoRequest(model, "a.png", **{"duration": 5, **fields})
    problems = request.problems("2026-11")
    assert problems
    text = "\n".join(str(problem) for problem in explained(problems, request, is_sandbox=True))
    assert advice in text
    assert advice or text == "\n".join(map(str, problems))
    outside = "\n".join(str(problem) for problem in explained(problems, request, is_sandbox=False))
    assert "sandbox" not in outside, "the service has no such way"


@pytest.mark.parametrize("path", ["folder.png", r"\\nas\share\a.png"])
def test_what_is_no_file_is_not_called_one(picture: Path, path: str) -> None:
    """The reason and the advice agree on what a file is: no folder, no path on another computer."""
    request = qw.VideoRequest(prompt="A koi", image_urls=[path])
    (problem,) = explained(request.problems(), request, is_sandbox=True)
    assert "enter a public http(s) URL" in str(problem)
    assert "file on this machine" not in str(problem)


@pytest.mark.slow
def test_very_many_paths_are_each_looked_up_a_few_times(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole text given in place of a list of URLs does not hold the notebook up."""
    request = qw.VideoRequest(prompt="A koi", image_urls=[f"x{number}" for number in range(300)])
    problems = request.problems("2026-11")
    looked_up: list[Path] = []
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: looked_up.append(path) or is_file(path))
    assert sum(NO_FILE in str(one) for one in explained(problems, request, is_sandbox=True)) == 300
    assert len(looked_up) <= 3 * 300 + 10


def test_a_file_beside_the_notebook_is_found_after_a_change_of_directory(
    in_sandbox: qw.TaskManager, picture: Path, start_kernel: StartKernel
) -> None:
    """``%cd`` does not make a picture beside the notebook a file that does not exist."""
    folder = Path.cwd()
    start_kernel(folder, folder / "koi.ipynb")
    os.chdir(folder / "folder.png")
    with pytest.raises(qw.InvalidRequest, match=WAY) as raised:
        in_sandbox.submit(prompt="A koi", image_urls=["a.png"])
    assert (
        f"The notebook's folder, which is not the working directory, has this file: {folder / 'a.png'}."
        in (str(raised.value))
    )
