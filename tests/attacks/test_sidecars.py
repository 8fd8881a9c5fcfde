"""Attacks by untrusted sidecars of every JSON shape: at worst, a video lacks its details."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qingbo_widgets import Client, Gallery, Library, TaskManager
from qingbo_widgets.library.presets import PRESETS, Presets
from qingbo_widgets.library.search import ORDERS, Selection, choices, select
from qingbo_widgets.library.sidecar import read_sidecar
from qingbo_widgets.magics.magics import row_of
from qingbo_widgets.widgets.form.loading import fill
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.faults.film import film
from tests.widgets.page import click, text_of

#: The values as JSON text, because Python cannot represent all of them.
VALUES = [
    "null", "true", "0", "-1", "1.5", "1e999", "-Infinity", "NaN", "9" * 400, str(2**63), '""', '"x"',
    "[]", "{}",
    r'"\ud800"', r'"a\u0000b"', r'"\udfff x"', r'"\u202egpj.exe"', '"<script>alert(1)</script>"',
    '"' + "y" * 30_000 + '"', "[1, 2]", "[null]", "[[]]", "[{}]", '["a"]', '{"a": 1}', '{"prompt": []}',
    "[" * 40 + "]" * 40, "[" * 900 + "]" * 900, "[" * 9000 + "]" * 9000,
    '"9999-12-31T23:59:59.999999+00:00"', '"0001-01-01T00:00:00+14:00"', '"2024-02-30"',
    '"2024-01-01T00:00:00"',
    '[{"prompt": "x"}]', '[{"duration": 5}]', '[{"prompt": 1, "duration": "5"}]',
    '[{"prompt": "x", "duration": 1e308}, {"prompt": "x", "duration": 1e308}]',
    '[{"prompt": "x", "duration": 5, "more": 1}]', '{"type": [], "config": 5}',
    '{"type": "simple", "config": {"pan": "x"}}', '[{"mask_url": null, "trajectories": null}]', '"http://[bad"',
]  # fmt: skip
FIELDS = [
    "key", "service", "task_id", "model", "request", "submitted_at", "created_at", "completed_at", "video",
    "rating", "tags", "note", "format", "status", "cost", "progress", "error", "file",
]  # fmt: skip
OF_REQUEST = [
    "model", "prompt", "action", "aspect_ratio", "duration", "negative_prompt", "image_urls", "last_frame",
    "callback_url", "mode", "cfg_scale", "enable_audio", "camera_control", "static_mask", "dynamic_masks",
    "shots", "unknown",
]  # fmt: skip
FILES = {
    "bom": b'\xef\xbb\xbf{"format": 1, "request": {"prompt": "x"}}',
    "utf-16": '{"format": 1, "request": {"prompt": "x"}}'.encode("utf-16"),
    "latin-1": b'{"format": 1, "request": {"prompt": "\xe9"}}',
    "empty": b"",
    "zeros": b"\0" * 1000,
    "no object": b"[]",
    "twice": b'{"format": 1, "request": {"prompt": "a"}, "request": {"shots": 5}}',
    "enormous": b'{"format": 1, "request": {"prompt": "' + b"z" * 5_000_000 + b'"}}',
}


def sidecars(values: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of every sidecar."""
    number = itertools.count()
    for field, value in itertools.product(FIELDS, values):
        key = f"{next(number):032}"
        yield f"{field} {value[:20]}", f'{{"format": 1, "key": "{key}", "{field}": {value}}}'.encode()
    for field, value in itertools.product(OF_REQUEST, values):
        request = f'{{"prompt": "p", "{field}": {value}}}'
        yield (
            f"{field} {value[:20]}",
            f'{{"format": 1, "key": "{next(number):032}", "request": {request}}}'.encode(),
        )
    yield from FILES.items()


def fill_folder(folder: Path, contents: Iterator[tuple[str, bytes]]) -> int:
    """Write each sidecar with a video, and a good pair; return the number of videos."""
    folder.mkdir()
    number = 0
    for number, (_, content) in enumerate(contents, 1):
        (folder / f"v{number}.mp4").write_bytes(film(b"x"))
        (folder / f"v{number}.json").write_bytes(content)
    (folder / "good.mp4").write_bytes(film(b"good"))
    sidecar = {
        "format": 1,
        "key": "a" * 32,
        "request": {"prompt": "a good one"},
        "rating": 5,
        "tags": ["koi"],
    }
    (folder / "good.json").write_text(json.dumps(sidecar), encoding="utf-8")
    (folder / "folder.mp4").write_bytes(film(b"x"))
    (folder / "folder.json").mkdir()
    return number + 2


def check_library(library: Library, number: int) -> None:
    """Read a library in every way: nothing raises, and the good video has its details."""
    entries = library.entries()
    assert len(entries) == number
    good = library.get("a" * 32)
    assert good is not None
    assert (good.prompt, good.file) == ("a good one", "good.mp4")
    assert library.judgements.of(good.key).rating == 5
    assert len(library.to_dataframe()) == number
    assert len([row_of(entry) for entry in entries]) == number
    for order in ORDERS:
        assert select(library.journal, Selection(order=order), limit=10)[0] == number
    for text in ("good one", 'p "', "\ud800", "\0", "\\u0000"):
        assert select(library.journal, Selection(text=text), limit=10)[0] >= (text == "good one")
    assert "koi" in choices(library.journal).tags
    assert Library.import_(library.folder).entries() == entries, "a second import changed the entries"


@pytest.mark.slow
def test_a_gallery_of_odd_sidecars(tmp_path: Path) -> None:
    """A gallery of odd sidecars draws every page, and its videos can be opened, changed and rated."""
    number = fill_folder(tmp_path / "videos", sidecars(VALUES))
    library = Library.import_(tmp_path / "videos")
    check_library(library, number)
    gallery = Gallery(library, page_size=48)
    assert gallery.total == number
    changed = 0
    for page in range(1, 1 + -(-number // 48)):
        gallery.show_page(page)
        for index, entry in enumerate(gallery.entries):
            assert entry.prompt is not None
            if index % 12 == page % 12:  # a sample, because each draws the page again
                gallery.open_video(entry.key)
                if not gallery.opened.change_button.disabled:
                    click(gallery.opened, "Edit and regenerate")
                    assert "API key" in text_of(gallery.opened.follow_up), (
                        "the change stopped before it required a connection"
                    )
                    changed += 1
                library.judgements.rate(entry.key, 3)
    assert changed > 0
    gallery.close()


@pytest.mark.slow
def test_tasks_of_odd_sidecars(tmp_path: Path) -> None:
    """A manager adopts a task, with its video, for every odd sidecar."""
    number = fill_folder(tmp_path / "videos", sidecars(VALUES))
    library = Library.import_(tmp_path / "videos")
    with TaskManager(Client("sk-test", "http://127.0.0.1:1/v1"), library) as manager:
        for entry in library.entries():
            task = manager.adopt(entry.key)
            assert task is not None
            assert task.video_path == library.video_of(entry)
            assert task.planned_path.parent == library.folder
            assert repr(task)
    assert len(manager.tasks) == number


@pytest.mark.slow
@pytest.mark.attack
def test_odd_sidecars_in_postgresql(tmp_path: Path, postgresql_url: Callable[..., str]) -> None:
    """All odd sidecars are imported, although PostgreSQL refuses NaN, the character 0 and very long keys."""
    number = fill_folder(tmp_path / "videos", sidecars(VALUES))
    library = Library(tmp_path / "videos", database=postgresql_url())
    from qingbo_widgets.library.importing import import_folder

    assert len(import_folder(library).added) == number
    assert library.get("a" * 32) is not None
    assert len(library.to_dataframe()) == number
    for order in ORDERS:
        assert select(library.journal, Selection(order=order), limit=10)[0] == number
    library.close()


@pytest.mark.parametrize(
    "request_",
    [{"shots": [1, 2]}, {"shots": [{"duration": 5}]}, {"shots": 5}, {"shots": None}, {"prompt": [1]}],
)
def test_one_odd_request_beside_a_good_video(tmp_path: Path, request_: dict[str, object]) -> None:
    """A library with an odd request can be read in every way (the quick form of the tests above)."""
    content = json.dumps({"format": 1, "key": "b" * 32, "request": request_}).encode()
    number = fill_folder(tmp_path / "videos", iter([("odd", content)]))
    check_library(Library.import_(tmp_path / "videos"), number)


@pytest.mark.skipif(
    os.fsencode("\udcff") != b"\xff" or os.name == "nt", reason="file names are always text on this system"
)
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A video whose name is no text is left out, because no journal can store it; others are imported."""
    number = fill_folder(tmp_path / "videos", iter([]))
    try:
        (tmp_path / "videos" / os.fsdecode(b"koi\xff.mp4")).write_bytes(film(b"x"))
    except OSError:
        pytest.skip("this file system accepts only names that are text")
    check_library(Library.import_(tmp_path / "videos"), number)


def test_a_date_that_no_calendar_contains(tmp_path: Path) -> None:
    """A modification time beyond all calendars, as some file systems allow, does no harm."""
    number = fill_folder(tmp_path / "videos", iter([]))
    os.utime(tmp_path / "videos" / "folder.mp4", (1e11, 1e11))
    check_library(Library.import_(tmp_path / "videos"), number)


@pytest.mark.slow
def test_odd_presets(tmp_path: Path) -> None:
    """A form loads every odd preset, field by field as far as possible."""
    presets, form = Presets(tmp_path), RequestForm()
    presets.save("koi", {"prompt": "a koi"})
    (file,) = (tmp_path / PRESETS).iterdir()
    for field, value in itertools.product(OF_REQUEST, VALUES):
        file.write_text(f'{{"name": "koi", "fields": {{"{field}": {value}}}}}', encoding="utf-8")
        try:
            fields = presets.load("koi")
        except KeyError:
            continue
        fill(form, fields)
        presets.save("again", fields)
    for content in FILES.values():
        file.write_bytes(content)
        assert presets.names() in (["again"], ["again", "koi"])
    form.close()


def test_the_depth_of_a_valid_sidecar(tmp_path: Path) -> None:
    """A sidecar with masks and trajectories, the deepest valid content, is read completely."""
    masks = [{"mask_url": "https://example.com/a.png", "trajectories": [{"x": 1, "y": 2}]}]
    content = {
        "format": 1,
        "request": {"prompt": "锦鲤 🐟", "dynamic_masks": masks, "cfg_scale": 0.5},
        "cost": 2**40,
    }
    (tmp_path / "koi.json").write_text(json.dumps(content), encoding="utf-8")
    assert read_sidecar(tmp_path / "koi.mp4") == content
