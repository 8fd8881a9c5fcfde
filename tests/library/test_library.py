"""The library: its journal and its folder."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unicodedata
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.file_names import readable_name
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.merging import merged
from qingbo_widgets.library.presets import DRAFTS, Draft, DraftOwner, Presets
from qingbo_widgets.library.sidecar import sidecar_path
from qingbo_widgets.media.posters import poster_path
from qingbo_widgets.service.contract.request import Shot, VideoRequest
from tests.windows_rules import reserved

NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)


def entry(key: str, **columns) -> Entry:
    """Return a row with the columns that matter to the test."""
    fields: dict[str, Any] = {"key": key, "service": "https://qingbo.dev/v1", "submitted_at": NOW} | columns
    return Entry(**fields)


def test_looking_makes_nothing(tmp_path):
    """A library that is only read creates no folder and no file."""
    library = Library(tmp_path / "videos")
    assert library.entries() == []
    assert library.find("task-1", service="x") is None
    assert not library.folder.exists()


def test_a_row_is_on_disk_when_add_returns(tmp_path):
    """Another program finds the row right afterwards, because a kernel may die at that moment."""
    library = Library(tmp_path)
    library.add(entry("a" * 32, request={"prompt": "一条锦鲤"}))
    with sqlite3.connect(tmp_path / "library.sqlite") as database:
        rows = database.execute("select key, status, request from tasks").fetchall()
    database.close()
    assert rows[0][:2] == ("a" * 32, "submitting")
    assert "prompt" in rows[0][2]


def test_every_column_comes_back_as_it_was(tmp_path):
    """The journal preserves Chinese text, times and nested values."""
    full = entry(
        "b" * 32,
        task_id="task-1",
        model="kling-v3",
        request={"shots": [{"prompt": "特写", "duration": 5}], "cfg_scale": 0.5},
        status="failed",
        progress=45,
        created_at=NOW,
        completed_at=NOW + timedelta(seconds=90.5),
        error={"type": "TaskFailed", "message": "上游不可用"},
        cost=50_000,
        contract="2026-11",
        frozen=60_000,
        billing_status="settled",
        first_submitted_at=NOW - timedelta(hours=3),
    )
    library = Library(tmp_path)
    library.add(full)
    assert library.entries() == [full]
    assert library.find("task-1", service=full.service) == full
    assert library.find("task-1", service="another") is None


def test_entries_are_newest_first_and_filtered(tmp_path):
    """The gallery and the recovery get the newest tasks first, filtered by status, service and video."""
    library = Library(tmp_path)
    for minute, (status, file) in enumerate(
        [
            ("completed", "a.mp4"),
            ("completed", None),
            ("processing", None),
            ("failed", None),
            ("queued", None),
        ]
    ):
        moment = NOW + timedelta(minutes=minute)
        library.add(entry(str(minute), status=status, file=file, submitted_at=moment))
    library.add(entry("other", service="sandbox", submitted_at=NOW - timedelta(days=1)))
    assert [row.key for row in library.entries()] == ["4", "3", "2", "1", "0", "other"]
    assert [row.key for row in library.entries(unfinished=True, service="https://qingbo.dev/v1")] == [
        "4",
        "2",
        "1",
    ]
    assert [row.key for row in library.entries(status="completed")] == ["1", "0"]
    assert [row.key for row in library.entries(limit=2, offset=1)] == ["3", "2"]


def drafts(*names: str) -> list[str]:
    """Return the file names of drafts with these names; presets are named in the same way."""
    with tempfile.TemporaryDirectory() as folder:
        presets = Presets(Path(folder))
        for name in names:
            presets.save_draft(DraftOwner("a.ipynb", name), Draft())
        return [file.name for file in (Path(folder) / DRAFTS).glob("*.json")]


@pytest.mark.slow
@given(st.text(max_size=60), st.uuids())
@example("CON", UUID(int=0))
@example("nul.txt ", UUID(int=0))
@example("COM\u00b9", UUID(int=0))
@example("../..\\..", UUID(int=0))
@example("\u1109\u1161\u11bc" * 40, UUID(int=0))
@example("\U0001f41f" * 40, UUID(int=0))
@example("\u0390" * 60, UUID(int=0))
def test_every_system_can_keep_a_prompt_s_files(prompt, key):
    """No name is reserved or longer than 255 bytes (Linux, APFS) or UTF-16 units (NTFS) in either form."""
    video = Library("videos").video_path(prompt, key.hex)
    parts = f"{video.name}.1a2b3c4d.part", f"{video.name}.1a2b3c4d.etag"
    beside = *parts, sidecar_path(video).name, poster_path(video).name
    frames = f"{video.stem}-last.png", f"{video.stem}-1234.56s.png"
    for name in (video.name, *beside, *frames, *drafts(prompt)):
        assert not reserved(name), name
        for form in ("NFC", "NFD"):
            spelt = unicodedata.normalize(form, name)
            assert len(spelt.encode()) <= 255, name
            assert len(spelt.encode("utf-16-le")) // 2 <= 255, name
    assert unicodedata.is_normalized("NFC", video.name)


@pytest.mark.slow
@given(st.text(max_size=12), st.text(max_size=12))
@example("Koi", "koi")
@example("caf\u00e9", "cafe\u0301")
@example("\ufb01", "fi")
def test_two_names_are_two_files(one, other):
    """Two names have two files, even if the file system ignores case and Unicode forms."""
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in drafts(one, other)}
    assert len(folded) == len({one, other})


@pytest.mark.parametrize("status", [*qw.TaskStatus, "a new word"])
@pytest.mark.parametrize("file", [None, "a.mp4"])
def test_has_unfinished_agrees_with_entries(tmp_path, status, file):
    """The quick query gives the same answer as the full one, whatever the status of a task."""
    library = Library(tmp_path / "a#b%20c 锦鲤")
    assert not library.has_unfinished(service="here")
    library.add(entry("other", service="elsewhere", status="queued"))
    library.add(entry("k", service="here", status=str(status), file=file))
    assert library.has_unfinished(service="here") == bool(library.entries(service="here", unfinished=True))


def test_durations_are_those_of_the_same_kind(tmp_path):
    """Model, mode and video length must match; failed tasks and other services do not count."""
    library = Library(tmp_path)
    assert library.durations(VideoRequest("kling-v1"), service="https://qingbo.dev/v1") == ()

    def ran(key: str, seconds: float, request: VideoRequest, **columns) -> None:
        times = {"created_at": NOW, "completed_at": NOW + timedelta(seconds=seconds)}
        known = {"status": "completed", "model": request.model, "request": request.as_dict()}
        library.add(entry(key, **times | known | columns))

    plain = VideoRequest("kling-v3", "雨后的街道")
    ran("a", 90.5, plain, submitted_at=NOW - timedelta(days=1))
    ran("b", 110.0, plain.replace(prompt="另一条街道", aspect_ratio="9:16"))
    ran("c", 200.0, plain.replace(mode="pro"))
    ran("d", 210.0, plain.replace(duration=10))
    ran("e", 220.0, plain.replace(prompt="", shots=(Shot("特写", 4), Shot("远景", 6))))
    ran("f", 9.0, plain, status="failed")
    ran("g", 9.0, plain, service="sandbox")
    ran("h", 9.0, plain.replace(model="kling-v1"))
    assert library.durations(plain, service="https://qingbo.dev/v1") == (110.0, 90.5)
    assert library.durations(plain, service="https://qingbo.dev/v1", limit=1) == (110.0,)
    named = plain.replace(mode="std", duration=5)  # as a form names every field
    assert library.durations(named, service="https://qingbo.dev/v1") == (110.0, 90.5)
    long = plain.replace(duration=10)
    assert set(library.durations(long, service="https://qingbo.dev/v1")) == {210.0, 220.0}


def test_a_stale_update_does_not_reopen_a_finished_task(tmp_path):
    """A slower kernel's "processing" does not change a task that another kernel saw complete."""
    library = Library(tmp_path)
    library.add(entry("k", status="processing"))
    library.update("k", status="completed", progress=100)
    library.update("k", status="processing", progress=80)
    row = library.entries()[0]
    assert (row.status, row.progress) == ("completed", 100)
    library.update("k", file="koi.mp4")
    assert library.entries()[0].file == "koi.mp4"


EARLY, LATE = NOW, NOW + timedelta(hours=23)
FIRST_TIMES = [(EARLY, LATE), (LATE, EARLY), (None, EARLY), (EARLY, None), (EARLY, EARLY)]


@pytest.mark.parametrize(("stored", "written"), FIRST_TIMES)
@pytest.mark.parametrize("way", ["claim", "put"])
def test_the_first_submission_is_the_earliest_that_any_kernel_knows(tmp_path, way, stored, written):
    """The 24 hours in which a repetition is free count from it: a later time would cost money."""
    with closing(Library(tmp_path)) as library:
        library.add(entry("a" * 32, status="unconfirmed", first_submitted_at=stored))
        again = entry("a" * 32, submitted_at=NOW + timedelta(hours=24), first_submitted_at=written)
        if way == "claim":
            assert library.claim(again, "kernel", 30)
        else:
            library.put(again)
        row = library.get("a" * 32)
        assert (row.first_submitted_at, row.submitted_at) == (EARLY, again.submitted_at)


@pytest.mark.parametrize(("one", "other"), FIRST_TIMES)
@pytest.mark.parametrize("task_id", ["", "task-1"])
def test_merging_keeps_the_earliest_first_submission(one, other, task_id):
    """The earliest first submission survives, with either record further along or newer."""
    older = entry("a" * 32, first_submitted_at=one, task_id=task_id)
    newer = entry("a" * 32, first_submitted_at=other)
    assert merged(older, newer).first_submitted_at == EARLY
    assert merged(newer, older).first_submitted_at == EARLY


def test_no_first_submission_stays_none(tmp_path):
    """A task that is submitted for the first time has no earlier one."""
    assert merged(entry("a" * 32), entry("a" * 32)).first_submitted_at is None
    with closing(Library(tmp_path)) as library:
        library.add(entry("a" * 32))
        assert library.claim(entry("a" * 32), "kernel", 30)
        assert library.get("a" * 32).first_submitted_at is None


@pytest.mark.slow
def test_many_threads_and_two_libraries_write_at_once(tmp_path):
    """Two kernels on one folder, with four threads each, lose no row and lock nothing out."""
    libraries = [Library(tmp_path), Library(tmp_path)]

    def write(library: Library, start: int) -> None:
        for number in range(start, start + 10):
            library.add(entry(f"{number:03}"))
            library.update(f"{number:03}", progress=number)

    threads = [
        threading.Thread(target=write, args=(libraries[n % 2], n * 10), name=f"writer {n}") for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rows = Library(tmp_path).entries()
    assert len(rows) == 80
    assert all(row.progress == int(row.key) for row in rows)


def test_no_file_stays_open(tmp_path):
    """A folder can be moved or removed while its library exists."""
    psutil_free = Path("/proc/self/fd")
    if not psutil_free.exists():
        pytest.skip("counts open files through /proc, which this system does not have")
    library = Library(tmp_path)
    library.add(entry("k"))
    library.entries()
    assert not [
        link for link in psutil_free.iterdir() if link.exists() and tmp_path in link.resolve().parents
    ]


@pytest.mark.slow
@given(st.text(max_size=3000))
def test_a_name_is_safe_whatever_the_prompt(prompt):
    """No prompt leads to a name that leaves the folder, hides the file or is invalid in a file system."""
    name = readable_name(prompt)
    assert name
    assert not set(name) & set('/\\:*?"<>|\0\n\r\t .')
    assert len(f"{name}-12345678.mp4.1a2b3c4d.part".encode()) <= 255


def test_a_name_says_what_the_video_is(tmp_path):
    """Chinese is kept, and two tasks with the same prompt have separate files."""
    library = Library(tmp_path)
    first = library.video_path("一条锦鲤在清澈的池塘中游动，水面波光粼粼", "aaaaaaaa1111")
    assert first.name == "一条锦鲤在清澈的池塘中游动-水面波光粼粼-aaaaaaaa.mp4"
    assert first != library.video_path("一条锦鲤在清澈的池塘中游动，水面波光粼粼", "bbbbbbbb1111")
    assert library.video_path("../../etc/passwd", "c" * 32).parent == tmp_path


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="elsewhere every name is Unicode")
def test_a_system_without_chinese_letters_keeps_the_video(tmp_path):
    """Letters that a legacy locale cannot encode are omitted from the name, so the file can be written."""
    script = (
        "import sys\nfrom qingbo_widgets import Library\n"
        f"path = Library(sys.argv[1]).video_path({'一条锦鲤, a koi'!a}, 'a' * 32)\n"
        "path.touch()\nprint(sys.getfilesystemencoding(), path.name)"
    )
    old = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env={**os.environ, **old},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ascii a-koi-aaaaaaaa.mp4\n"), done.stderr
