"""Files that the page sends to a form become the paths or URLs of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.text import in_lines, urls_in
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form.file_input import served_file
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.form.url_list import UrlList
from tests.widgets.page import send

PATHS = ("/home/me/a koi.png", "/home/me/b.png")
FIRST, LAST = "https://a.example/first.png", "https://a.example/last.png"


@pytest.fixture
def form(tmp_path: Path) -> Iterator[RequestForm]:
    """Yield a form of a sandbox, with an empty library."""
    with Sandbox(draft=True, contract="2026-11") as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        manager = TaskManager(client, Library(tmp_path / "a library"), sandbox=sandbox)
        form = RequestForm(manager, model="kling-v3-omni", prompt="A koi")
        yield form
        form.close()
        manager.close()


def send_file(control: UrlList, file: Path) -> None:
    """Send a small file as the page does."""
    content = file.read_bytes()
    message = {
        "kind": "piece",
        "id": file.stem.replace(" ", "-"),
        "name": file.name,
        "size": len(content),
        "at": 0,
    }
    send(control.file_input, message, buffers=(content,))


def pictures(folder: Path, *names: str) -> list[Path]:
    """Write small pictures, each of its own."""
    files = [folder / name for name in names]
    for number, file in enumerate(files):
        Image.new("RGB", (640, 360), (number, 90, 160)).save(file)
    return files


def test_a_file_from_the_page_fills_the_field(form: RequestForm, tmp_path: Path) -> None:
    """Each file gets a line of its own, and its path in the request, also in a folder with a blank."""
    control: Any = form.controls["image_urls"]
    for file in pictures(tmp_path, "first.png", "the last.png"):
        send_file(control, file)
    assert len(control.lines) == len(form.image_urls) == 2
    chosen = tmp_path / "a library" / "chosen"
    assert {Path(url).parent for url in form.image_urls} == {chosen}
    assert [Path(url).name.rpartition("-")[0] for url in form.image_urls] == ["first", "the-last"]
    assert form.problems == (), "a file that was chosen waits for a click"


def test_files_for_rows_and_videos(form: RequestForm, tmp_path: Path) -> None:
    """The picture of a role takes a file, and another one in its place; a field of videos takes videos."""
    first, second = pictures(tmp_path, "first.png", "second.png")
    form.panels.buttons["roles"].value = True
    roles = form.panels.editor("roles")
    roles.add()
    for file in (first, second):
        send_file(roles.rows[0].controls["url"], file)
    assert Path(form.image_with_roles[0]["url"]).name.startswith("second-")
    assert len(roles.rows[0].controls["url"].lines) == 1
    assert form.controls["video_urls"].file_input.accept.startswith("video/*")


def test_there_is_room_for_as_many_as_the_model_takes(form: RequestForm) -> None:
    """The page knows how many files a list still takes; a single field is replaced, so it always has room."""
    control: Any = form.controls["image_urls"]
    assert (control.file_input.several, control.file_input.room) == (True, 7)
    form.image_urls = (FIRST, LAST)
    assert control.file_input.room == 5
    form.model = "kling-v3-motion-control"
    assert (control.file_input.several, control.file_input.room) == (False, -1)


def test_a_fixed_field_takes_no_file(tmp_path: Path) -> None:
    """The page of a field that cannot be changed is refused, whatever it sends."""
    (file,) = pictures(tmp_path, "koi.png")
    form = RequestForm(model="kling-v1", fixed={"image_urls": (FIRST,)})
    control: Any = form.controls["image_urls"]
    assert control.file_input.disabled
    send_file(control, file)
    assert form.image_urls == (FIRST,)
    form.close()


def test_a_file_of_jupyters_browser_is_found_from_the_notebook(workdir: Path, tmp_path: Path) -> None:
    """A path from the root of the server is found in a folder around the notebook, and nowhere else."""
    folder = tmp_path / "root" / "notebooks"
    folder.mkdir(parents=True)
    (file,) = pictures(tmp_path / "root", "a koi.png")
    assert served_file("a koi.png", folder) == file
    assert served_file("RTC:a koi.png", folder) == file
    assert served_file("../a koi.png", folder) is None
    assert served_file("b.png", folder) is None
    assert served_file("a\0.png", folder) is None


def test_a_served_file_is_not_copied(workdir: Path) -> None:
    """A file that JupyterLab's own browser names is taken by its path; a missing one is a message."""
    (file,) = pictures(workdir, "a koi.png")
    form = RequestForm(model="kling-v1")
    control: Any = form.controls["image_urls"]
    send(control.file_input, {"kind": "served", "path": "a koi.png"})
    assert form.image_urls == (str(file),)
    assert list(workdir.iterdir()) == [file]
    form.close()


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", ()),
        (" \n ", ()),
        (f"{FIRST} {LAST}", (FIRST, LAST)),
        (f"{FIRST}\n  {LAST} ", (FIRST, LAST)),
        (f"{PATHS[0]}\n{PATHS[1]}", PATHS),
        (f"{PATHS[0]} {FIRST}", (PATHS[0], FIRST)),
        ("C:\\My Pictures\\a koi.png", ("C:\\My Pictures\\a koi.png",)),
    ],
)
def test_a_path_may_have_blanks(text: str, urls: tuple[str, ...]) -> None:
    """A line is one path, whatever its blanks; URLs end at a blank."""
    assert urls_in(text) == urls
    assert urls_in(in_lines(urls)) == urls


def test_typed_paths_with_blanks_stay_whole(workdir: Path) -> None:
    """Paths with blanks, typed into the lines of a list, are the values of the field."""
    form = RequestForm(model="kling-v1")
    control: Any = form.controls["image_urls"]
    control.value = in_lines(PATHS)
    assert form.image_urls == PATHS
    assert [line.value for line in control.lines] == list(PATHS)
    control.lines[0].value = "/home/me/another koi.png"
    assert form.image_urls == ("/home/me/another koi.png", PATHS[1])
    form.close()


def test_files_for_masks_and_the_last_frame(tmp_path: Path) -> None:
    """In contract 2026-04 the last frame, the static mask and each dynamic mask take a file."""
    files = pictures(tmp_path, "last.png", "static.png", "moves.png")
    with Sandbox(draft=True) as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url)
        manager = TaskManager(client, Library(tmp_path / "library"), sandbox=sandbox)
        form = RequestForm(manager, model="kling-v1-6", prompt="A koi", image_urls=FIRST)
        form.panels.buttons["masks"].value = True
        masks = form.panels.editor("masks")
        masks.add.click()
        controls = (form.controls["last_frame"], masks.static, masks.rows[0].url)
        for control, file in zip(controls, files, strict=True):
            send_file(control, file)
        values = (form.last_frame, form.static_mask, form.dynamic_masks[0].mask_url)
        assert {Path(str(value)).parent for value in values} == {tmp_path / "library" / "chosen"}
        form.close()
        manager.close()
