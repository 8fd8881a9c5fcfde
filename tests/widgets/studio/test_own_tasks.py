"""The tasks that a studio shows again when its cell runs again."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import TaskFailed
from qingbo_widgets.library import presets as saved_forms
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.presets import Draft, DraftOwner, Presets
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync
from qingbo_widgets.widgets.card import states
from qingbo_widgets.widgets.form import drafts
from qingbo_widgets.widgets.studio import own_tasks, video_studio
from qingbo_widgets.widgets.studio.own_tasks import StudioTasks
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.places import StartKernel
from tests.waiting import until
from tests.widgets.page import buttons_of, click

OWNER = DraftOwner("/notes/a.ipynb", "cell")


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Return the presets of a library."""
    return Presets(tmp_path / "qingbo_videos")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget other tests, and show earlier tasks at once."""
    monkeypatch.setattr(own_tasks, "_unsaved", {})
    monkeypatch.setattr(drafts, "_remembered", {})
    monkeypatch.setattr(drafts, "_forms", {})
    monkeypatch.setattr(video_studio, "EARLIER_AFTER", 0.0)
    monkeypatch.setattr(sync.refresher, "interval", 0.02)


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that restarts the kernel: what is not on disk is lost."""

    def forget() -> None:
        monkeypatch.setattr(own_tasks, "_unsaved", {})
        monkeypatch.setattr(drafts, "_remembered", {})

    return forget


@pytest.fixture
def run(
    workdir: Path, start_kernel: StartKernel, manager: TaskManager, restart: Callable[[], None], cell: Any
) -> Iterator[Callable[..., VideoStudio]]:
    """Yield a function that runs the cell of a studio in a notebook, which shows it."""
    runs, studios = itertools.count(), []

    def run_cell(cell: str = "cell", owner: TaskManager = manager, **initial: Any) -> VideoStudio:
        notebook = workdir / "a.ipynb"
        notebook.touch()
        start_kernel(workdir, notebook, cell=cell).parent["header"]["msg_id"] = f"run {next(runs)}"
        studio = VideoStudio(owner, **{"prompt": "a tide", "duration": 3, **initial})
        studios.append(studio)
        studio._ipython_display_()
        return studio

    yield run_cell
    for studio in studios:
        for card in studio.cards:
            card.close()
        studio.close()


def prompts_of(studio: VideoStudio) -> list[str]:
    """Return the prompts of the studio's cards, from top to bottom."""
    return [card.task.request.prompt for card in studio.cards if card.task.request is not None]


def generate(studio: VideoStudio, *prompts: str) -> None:
    """Submit a task for each prompt, and wait until they have ended and are recorded on disk."""
    for prompt in prompts:
        studio.form.prompt = prompt
        until(lambda: not studio.generate_button.disabled)  # the second of a double click is ignored
        click(studio, "Generate")
    until(lambda: all(card.task.is_done for card in studio.cards))
    assert studio._own_tasks is not None
    until(lambda: studio._own_tasks.is_saved)


# ---------------------------------------------------------------------- the keys


def test_keys_are_on_disk(presets: Presets, restart: Callable[[], None]) -> None:
    """Another kernel finds the keys, in the order of submission, without those that were removed."""
    tasks = StudioTasks(presets, OWNER)
    for key in ("one", "two", "three", "two"):
        tasks.add([key])
    assert tasks.keys == ("one", "two", "three")
    tasks.remove({"three", "never there"})
    until(lambda: tasks.is_saved)
    restart()
    assert StudioTasks(presets, OWNER).keys == ("one", "two")


#: Another kernel with the same notebook adds its tasks, one after another.
OTHER_KERNEL = """
import sys
from pathlib import Path
from qingbo_widgets.library.presets import DraftOwner, Presets
presets, owner = Presets(Path(sys.argv[1])), DraftOwner("/notes/a.ipynb", "cell")
for number in range(40):
    presets.change_tasks(owner, lambda keys: [*keys, f"{sys.argv[2]} {number}"])
"""


@pytest.mark.slow
def test_two_kernels_lose_no_task(presets: Presets) -> None:
    """With one notebook in two windows, each kernel adds its tasks while the other one writes."""
    kernels = [
        subprocess.Popen([sys.executable, "-c", OTHER_KERNEL, str(presets.folder), name])
        for name in ("left", "right")
    ]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0]
    expected = {f"{name} {number}" for name in ("left", "right") for number in range(40)}
    assert set(presets.tasks(OWNER)) == expected, "a kernel has overwritten the tasks of the other"


@pytest.mark.slow
def test_a_kernel_that_dies_while_it_saves_blocks_no_other(
    presets: Presets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of a kernel that was killed is free, and what it has not written whole is not there."""
    presets.change_tasks(OWNER, lambda _: ["one"])
    dying = OTHER_KERNEL.replace("[*keys", "[os.kill(os.getpid(), 9), *keys")
    with subprocess.Popen(
        [sys.executable, "-c", f"import os\n{dying}", str(presets.folder), "dying"]
    ) as kernel:
        assert kernel.wait(60) != 0
    monkeypatch.setattr(saved_forms, "_PATIENCE", 30.0)
    began = time.monotonic()
    presets.change_tasks(OWNER, lambda keys: [*keys, "two"])
    assert time.monotonic() - began < 15, "it waits for the lock of a dead kernel"
    assert presets.tasks(OWNER) == ("one", "two")


def test_another_kernel_is_not_overwritten(presets: Presets, restart: Callable[[], None]) -> None:
    """Tasks that another kernel has added meanwhile stay, and those that it has cleared stay away."""
    owner = drafts.stored_owner(OWNER, presets)
    StudioTasks(presets, OWNER).add(["one", "two"])
    until(lambda: presets.tasks(owner) == ("one", "two"))
    restart()
    here = StudioTasks(presets, OWNER)
    assert here.keys == ("one", "two")
    presets.change_tasks(owner, lambda keys: [key for key in keys if key != "one"] + ["theirs"])
    here.add(["ours"])
    until(lambda: here.is_saved)
    assert presets.tasks(owner) == here.keys
    assert set(here.keys) == {"two", "theirs", "ours"}


def test_each_cell_has_its_own(presets: Presets) -> None:
    """Two studios in different cells, or notebooks, do not show the same task."""
    StudioTasks(presets, OWNER).add(["one"])
    for other in (replace(OWNER, cell="other"), replace(OWNER, number=2), replace(OWNER, notebook="b.ipynb")):
        assert StudioTasks(presets, other).keys == ()
    assert StudioTasks(presets, OWNER).keys == ("one",)


def test_a_studio_without_a_page_has_none(presets: Presets) -> None:
    """A script, nbclient or papermill starts with an empty studio, and writes nothing."""
    tasks = StudioTasks(presets, None)
    tasks.add(["one"])
    assert tasks.keys == ()
    assert not presets.folder.exists()


def test_an_unknown_notebook_keeps_them_in_this_kernel(presets: Presets, restart: Callable[[], None]) -> None:
    """Without the path of the notebook, a copy of it cannot be distinguished on disk."""
    owner = DraftOwner("", "cell")
    StudioTasks(presets, owner).add(["one"])
    assert StudioTasks(presets, owner).keys == ("one",)
    assert not presets.folder.exists()
    restart()
    assert StudioTasks(presets, owner).keys == ()


def test_the_oldest_are_forgotten(presets: Presets) -> None:
    """The number of keys is limited, so that a studio that is used for months stays fast."""
    tasks = StudioTasks(presets, OWNER)
    for number in range(own_tasks.MOST + 5):
        tasks.add([str(number)])
    assert tasks.keys == tuple(str(number) for number in range(5, own_tasks.MOST + 5))


@pytest.mark.parametrize("is_draft_first", [True, False])
def test_the_draft_and_the_tasks_keep_each_other(presets: Presets, is_draft_first: bool) -> None:
    """Both are in one file: writing one leaves the other as it is."""
    draft = Draft({"prompt": "a tide"}, {"model": "kling-v3"})
    writes = [
        lambda: presets.save_draft(OWNER, draft),
        lambda: presets.change_tasks(OWNER, lambda _: ["one"]),
    ]
    for write in writes if is_draft_first else writes[::-1]:
        write()
    assert presets.draft(OWNER) == draft
    assert presets.tasks(OWNER) == ("one",)


def test_a_renamed_notebook_has_its_tasks(presets: Presets) -> None:
    """The tasks of a notebook that was renamed are found, and kept when its draft is written."""
    presets.change_tasks(replace(OWNER, file_id="7-1"), lambda _: ["one"])
    renamed = replace(OWNER, notebook="/notes/b.ipynb", file_id="7-1")
    assert presets.tasks(renamed) == ("one",)
    presets.save_draft(renamed, Draft({"prompt": "a tide"}))
    assert presets.tasks(renamed) == ("one",)


@pytest.mark.parametrize("damage", ["{", '{"tasks": "one"}', '{"fields": {}, "given": {}, "tasks": [1, {}]}'])
def test_a_damaged_file_is_no_tasks(presets: Presets, damage: str) -> None:
    """Content that another program has written into the file is ignored."""
    presets.change_tasks(OWNER, lambda _: ["one"])
    (file,) = (presets.folder / "drafts").glob("*.json")
    file.write_text(damage, encoding="utf-8")
    assert presets.tasks(OWNER) == ()


# ---------------------------------------------------------------------- the studio


@pytest.mark.slow
@pytest.mark.parametrize("is_restarted", [False, True])
def test_the_cell_run_again_shows_the_videos(
    run: Callable[..., VideoStudio],
    restart: Callable[[], None],
    manager: TaskManager,
    server: Sandbox,
    is_restarted: bool,
) -> None:
    """The videos are there again, newest first, in this kernel and in another one, and can be regenerated."""
    first = run()
    generate(first, "a tide", "a boat")
    if not is_restarted:
        again = run()
        until(lambda: again.cards)
        assert prompts_of(again) == ["a boat", "a tide"]
        assert [card.task for card in again.cards] == [card.task for card in first.cards]
        return
    restart()
    client = Client(server.api_key, server.base_url)
    with TaskManager(client, Library("qingbo_videos"), poll_interval=0.1) as other:
        again = run(owner=other)
        until(lambda: again.cards)
        assert prompts_of(again) == ["a boat", "a tide"]
        assert all(card.task.video_path is not None for card in again.cards)
        assert not [card for card in again.cards if not states.is_settled(card.task)]
        request = again.cards[1].task.request
        until(lambda: buttons_of(again.cards[1]))
        click(again.cards[1], buttons_of(again.cards[1])[0])
        until(lambda: len(again.cards) == 3)
        assert again.cards[0].task.request == request, "another request was generated"
        assert own_keys(again) == [card.task.key for card in reversed(again.cards)]
        until(lambda: all(card.task.is_done for card in again.cards))
        for card in again.cards:
            card.close()
        again.close()


def own_keys(studio: VideoStudio) -> list[str]:
    """Return the keys that a studio has recorded, oldest first."""
    assert studio._own_tasks is not None
    return list(studio._own_tasks.keys)


@pytest.mark.slow
def test_a_running_task_is_followed_on(
    run: Callable[..., VideoStudio], restart: Callable[[], None], workdir: Path
) -> None:
    """A task that was under way when the kernel ended is a live card again, and gets its video."""
    with Sandbox(speed=10, draft=True) as server:
        client = Client(server.api_key, server.base_url)
        with TaskManager(client, Library("qingbo_videos"), poll_interval=0.05) as first:
            studio = run(owner=first)
            click(studio, "Generate")
            until(lambda: studio.cards[0].task.task_id)
            until(lambda: own_keys(studio) and studio._own_tasks.is_saved)
            assert not studio.cards[0].task.is_done
        restart()
        client = Client(server.api_key, server.base_url)
        with TaskManager(client, Library("qingbo_videos"), poll_interval=0.05) as second:
            again = run(owner=second)
            until(lambda: again.cards)
            until(lambda: again.cards[0].task.video_path is not None)


@pytest.mark.slow
def test_a_failed_task_is_shown_again(
    run: Callable[..., VideoStudio], restart: Callable[[], None], workdir: Path
) -> None:
    """A failed task comes back with its error, so that it can be changed and tried again."""
    with Sandbox(speed=50, draft=True, faults=Faults(fail="upstream_unavailable")) as server:
        for number in range(2):
            client = Client(server.api_key, server.base_url)
            with TaskManager(client, Library("qingbo_videos"), poll_interval=0.05) as manager:
                studio = run(owner=manager)
                if number == 0:
                    generate(studio, "a tide")
                    restart()
                until(partial(getattr, studio, "cards"))
                assert isinstance(studio.cards[0].task.error, TaskFailed)
                assert states.is_settled(studio.cards[0].task)


def test_what_the_library_does_not_have_is_left_out(
    presets: Presets, manager: TaskManager, make_task: Any
) -> None:
    """Deleted tasks, and those of another service, are left out without a word."""
    own, foreign = make_task("a tide", task_id="task-1"), make_task("a boat", task_id="task-2")
    tasks = StudioTasks(presets, OWNER)
    for key, service in ((own.key, manager.service), (foreign.key, "https://other.example/v1")):
        manager.library.add(
            Entry(
                key=key,
                service=service,
                task_id=f"task-{key}",
                model="kling-v3",
                request=own.request.as_dict(),
                status="failed",
                contract="2026-04",
                submitted_at=own.submitted_at,
            )
        )
        tasks.add([key])
    tasks.add(["deleted since"])
    assert [task.key for task in tasks.load(manager)] == [own.key]
    assert len(tasks.keys) == 3, "a studio that is connected to the other service has its task again"
