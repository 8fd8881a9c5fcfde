"""Attacks by a kill -9 at each step of a deletion, an undo and an emptied trash: no video is lost."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgement
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.other_videos import key_of
from qingbo_widgets.library.sidecar import write_sidecar

#: Calls a method of a library, and kills its own process before or after one of its file operations.
PROGRAM = """
import os, signal, sys
from qingbo_widgets.library.library import Library
from qingbo_widgets.system.folder import Folder

folder, method, step, *keys = sys.argv[1:]
steps = 0

def count():
    global steps
    steps += 1
    if steps == int(step):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

def counted(call):
    def counting(*arguments):
        count()
        result = call(*arguments)
        count()
        return result
    return counting

for name in ("write", "move", "remove", "remove_folder"):
    setattr(Folder, name, counted(getattr(Folder, name)))
getattr(Library(folder), method)(*([keys] if keys else []))
print("done")
"""
MOST_STEPS = 100
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def make(folder: Path) -> Library:
    """Return a library of three videos, the first with a rating and a second video."""
    library = Library(folder)
    for key in "abc":
        task = Entry(
            key, "https://qingbo.dev/v1", task_id=f"task-{key}", model="kling-v3", request={"prompt": key},
            status="completed", progress=100, submitted_at=NOON, file=f"{key}.mp4",
        )  # fmt: skip
        library.add(task)
        for name in (f"{key}.mp4", *(["a-2.mp4"] if key == "a" else [])):
            (folder / name).write_bytes(b"\0\0\0\x18ftypmp42" + name.encode())
            own = key if name == f"{key}.mp4" else key_of(key, 1)
            write_sidecar(replace(task, key=own), folder / name, Judgement())
    library.judgements.rate("a", 4)
    return library


def killed(folder: Path, method: str, step: int, *keys: str) -> bool:
    """Call a method of the library in a process that is killed at a step; return whether it was."""
    command = [sys.executable, "-c", PROGRAM, str(folder), method, str(step), *keys]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Error" not in result.stderr, result.stderr
    return "done" not in result.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """Return the videos in a folder and in its trash."""
    return {path.name: path.read_bytes() for path in folder.rglob("*.mp4")}


@pytest.mark.attack
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot kill itself there as hard as this")
@pytest.mark.parametrize("method", ["delete", "restore"])
def test_a_kill_at_each_step_loses_no_video(tmp_path: Path, method: str) -> None:
    """Each time, all videos are on the disk, and an undo brings the tasks back with their ratings."""
    for step in range(1, MOST_STEPS):
        folder = tmp_path / str(step)
        library = make(folder)
        before, rows = contents(folder), {entry.key: entry for entry in library.entries()}
        keys = ["a", "b"]
        ratings = library.judgements.of_all(rows)
        if method == "restore":
            library.delete(keys)
        was_killed = killed(folder, method, step, *(keys if method == "delete" else []))
        assert contents(folder) == before, f"a kill at step {step} has lost a video"
        if any(library.get(key) is None for key in keys):
            library.restore()
        assert {entry.key: entry for entry in library.entries()} == rows, f"step {step}"
        assert library.judgements.of_all(rows) == ratings
        library.empty_trash()
        assert contents(folder) == before, f"after step {step}, an emptied trash has erased a living video"
        library.close()
        if not was_killed:
            return
    pytest.fail("the process had more steps than were tried")


#: Deletes and restores at random for some seconds.
BUSY = """
import random, sys, time
from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.library.library import Library

library, choice, end = Library(sys.argv[1]), random.Random(int(sys.argv[2])), time.monotonic() + 8
while time.monotonic() < end:
    try:
        library.delete(choice.choice("abc")) if choice.random() < 0.5 else library.restore()
    except QingboError as error:
        assert "none of these" in str(error) or "nothing to restore" in str(error), error
"""


@pytest.mark.attack
@pytest.mark.slow
def test_three_kernels_delete_and_restore(tmp_path: Path) -> None:
    """However their steps interleave, each video is with its task in the end, and the trash is empty."""
    folder = tmp_path / "videos"
    library = make(folder)
    before = contents(folder)
    commands = [[sys.executable, "-c", BUSY, str(folder), str(number)] for number in range(3)]
    kernels = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [kernel.communicate(timeout=120)[1] for kernel in kernels] == ["", "", ""]
    while library.deletions:
        library.restore()
    assert contents(folder) == before, "a video was lost"
    assert not (folder / "trash").exists(), "a video is in the trash that no list names"
    assert {entry.key for entry in library.entries()} == set("abc")
    assert library.judgements.of("a").rating == 4
    library.close()
