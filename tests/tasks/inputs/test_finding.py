"""A path where the service takes a URL: which files it finds, and the error if it finds none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.tasks.inputs.advice import explained
from qingbo_widgets.tasks.inputs.finding import found
from tests.places import StartKernel

NO_FILE = "there is no such file here"


@pytest.fixture
def picture(workdir: Path) -> Path:
    """Return a picture in the current folder, which is that of a notebook."""
    Image.new("RGB", (640, 360)).save("a.png")
    Path("folder.png").mkdir()
    return Path("a.png")


@pytest.fixture
def in_sandbox(sandbox: qw.Sandbox, tmp_path: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager like that of ``connect(sandbox=…)``."""
    client = qw.Client(sandbox.api_key, sandbox.base_url)
    with qw.TaskManager(client, qw.Library(tmp_path / "videos"), sandbox=sandbox) as manager:
        yield manager


@pytest.mark.parametrize("path", ["a.png", "./a.png", "  a.png ", "a.png\n", '"a.png"'])
def test_a_path_is_a_picture(in_sandbox: qw.TaskManager, picture: Path, path: str) -> None:
    """``generate(image_urls=["a.png"])`` takes the file; blanks around a path may come with a paste."""
    saved = in_sandbox.inputs.checked(qw.VideoRequest(prompt="A koi", image_urls=[path]), "2026-04")
    assert saved.problems == ()
    (file,) = saved.request.image_urls
    assert (in_sandbox.library.folder / file).is_file()


def test_a_missing_file_is_called_missing(manager: qw.TaskManager, workdir: Path) -> None:
    """A misspelt path is not taken for a misspelt URL only."""
    with pytest.raises(
        qw.InvalidRequest, match=r"image_urls: there is no such file here: 'b\.png'\. Pass the path"
    ):
        manager.submit(prompt="A koi", image_urls=["b.png"])


NOT_FOUND: list[tuple[str, dict[str, Any], str]] = [
    ("kling-v3-omni", {"video_urls": ["gone.mp4"]}, NO_FILE),
    ("kling-v3", {"image_urls": ["ftp://example.com/b.png"]}, ""),
    ("kling-v3", {"image_urls": ["data:image/png;base64,A"]}, ""),
    ("kling-v3", {"image_urls": [" "]}, ""),
    ("kling-v3", {"image_urls": [7]}, ""),
    ("kling-v3", {"image_urls": ["folder.png"]}, "'folder.png' is a folder"),
    ("kling-v3", {"image_urls": [r"\\nas\share\a.png"]}, ""),
    ("kling-v3", {"image_urls": ["//nas/share/a.png"]}, ""),
    ("kling-v3", {"image_urls": ["file://nas/share/a.png"]}, ""),
    ("kling-v3", {"image_urls": ["~/a.png"]}, NO_FILE),
    ("kling-v3", {"callback_url": "a.png"}, ""),
    ("kling-v3", {"image_urls": ["'gone.png'"]}, NO_FILE),
    ("kling-v3", {"callback_url": "gone.png"}, ""),
    ("kling-v3", {"duration": 99}, ""),
]


@pytest.mark.parametrize(("model", "fields", "advice"), NOT_FOUND)
def test_only_paths_get_the_advice(picture: Path, model: str, fields: dict[str, Any], advice: str) -> None:
    """Missing files and texts that are no path get different advice, in every field with a picture."""
    request = qw.VideoRequest(model, "A koi", **{"duration": 5, **fields})
    problems = request.problems("2026-11")
    assert problems
    text = "\n".join(str(problem) for problem in explained(problems, request))
    assert advice in text
    assert advice or text == "\n".join(map(str, problems))
    values = request.given.get("image_urls", ())
    assert all(found(value) is None for value in (values if isinstance(values, tuple) else ()))


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
    assert sum(NO_FILE in str(one) for one in explained(problems, request)) == 300
    assert len(looked_up) <= 3 * 300 + 10


def test_a_file_beside_the_notebook_is_found_after_a_change_of_directory(
    in_sandbox: qw.TaskManager, picture: Path, start_kernel: StartKernel
) -> None:
    """``%cd`` does not make a picture beside the notebook a file that does not exist."""
    folder = Path.cwd()
    start_kernel(folder, folder / "koi.ipynb")
    os.chdir(folder / "folder.png")
    saved = in_sandbox.inputs.saved(qw.VideoRequest(prompt="A koi", image_urls=["a.png"]))
    assert saved.problems == ()
    with Image.open(in_sandbox.library.folder / saved.request.image_urls[0]) as image:
        assert image.size == (640, 360)
