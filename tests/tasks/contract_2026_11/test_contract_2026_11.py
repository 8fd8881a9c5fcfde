"""A day with contract 2026-11: magics, sweeps, continuations, the library, at a real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import qingbo_widgets as qw
from qingbo_widgets.library.search import Selection, select

# A draft of the sandbox has small frames.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*Enlarged to")]

IMAGE = "https://a.example/1.png"


@pytest.fixture
def shell(manager: qw.TaskManager) -> Iterator[InteractiveShell]:
    """Yield a shell with the magics, whose default manager speaks today's contract."""
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "qingbo_widgets")
    yield shell
    shell.run_line_magic("unload_ext", "qingbo_widgets")


@pytest.mark.parametrize(
    ("line", "cell", "expected"),
    [
        ("--resolution 1080p -d 3", "A koi", {"resolution": "1080p", "duration": 3}),
        ("--mode pro --audio", "A koi", {"resolution": "1080p", "generate_audio": True}),
        ("-m kling-v3 --n 1 --callback-events failed", "A koi", {"n": 1, "callback_events": ["failed"]}),
        ('--shot "A koi:3"', "A heron:4", {"multi_shot": True, "duration": 7, "prompt": "A koi A heron"}),
        (
            f'-m kling-v3-omni --image-with-roles \'[{{{{"url": "{IMAGE}", "role": "reference"}}}}]\'',
            "A koi",
            {"image_with_roles": [{"url": IMAGE, "role": "reference"}]},
        ),
    ],
)
def test_options_of_the_magic(
    shell: InteractiveShell, server: qw.Sandbox, line: str, cell: str, expected: dict[str, object]
) -> None:
    """A cell has options for today's parameters, and still those of April."""
    shell.run_cell_magic("qingbo", f"{line} -o task", cell)
    task = shell.user_ns["task"]
    task_id = _id_of(task)
    body = server.requests[task_id]
    assert expected.items() <= body.items()


def test_a_wrong_option_names_the_right_ones(shell: InteractiveShell) -> None:
    """An unknown option is answered with today's."""
    with pytest.raises(UsageError, match="--resolution"):
        shell.run_cell_magic("qingbo", "--resolutoin 1080p", "A koi")


def test_a_sweep(manager: qw.TaskManager) -> None:
    """A sweep varies today's parameters, and its table has them as columns."""
    sweep = qw.sweep(prompt="A koi", resolution=["720p", "1080p"], duration=3, max_running=2)
    sweep.wait(60)
    table = sweep.to_dataframe()
    assert sorted(table["resolution"]) == ["1080p", "720p"]
    assert set(table["state"]) == {"finished"}
    assert table["mode"].isna().all(), "a task of this contract has no mode"
    assert {entry.contract for entry in manager.library.entries()} == {"2026-11"}


def test_a_sweep_checks_todays_rules(manager: qw.TaskManager) -> None:
    """A combination that today's service refuses is refused before anything is sent."""
    with pytest.raises(qw.InvalidRequest, match="needs resolution 1080p"):
        qw.sweep(prompt="A koi", model="kling-v2-6", generate_audio=True, resolution=["720p", "1080p"])
    assert manager.tasks == ()


@pytest.mark.parametrize(
    ("model", "field"), [("kling-v3", "image_urls"), ("kling-v3-omni", "image_with_roles")]
)
def test_continuing_from_the_last_frame(manager: qw.TaskManager, model: str, field: str) -> None:
    """A continuation has the frame where the model takes a first frame, and nothing of the old images."""
    task = manager.submit(model=model, prompt="A koi", duration=3, aspect_ratio="1:1")
    task.wait(60)
    following = task.continue_from_last_frame("It leaps")
    assert following.request is not None
    assert manager.inputs.other_problems(following.request, "2026-11") == ()
    value = getattr(following.request, field)
    assert len(value) == 1
    if field == "image_with_roles":
        assert value[0]["role"] == "first_frame"
        assert following.request.image_urls == ()
    following.wait(60)
    assert following.video_path is not None


def test_the_library_finds_tasks_by_their_resolution(manager: qw.TaskManager) -> None:
    """The filter for ``pro`` finds 1080p, and a text finds the prompt of a shot."""
    manager.submit(prompt="A koi", duration=3, resolution="1080p").wait(60)
    manager.submit(
        prompt="A story",
        multi_shot=True,
        shot_type="customize",
        multi_prompt=[("A heron", 3), ("An otter", 2)],
    ).wait(60)

    def found(**conditions: str) -> list[str]:
        _, entries = select(manager.library.journal, Selection(**conditions))  # type: ignore[arg-type]  # texts only
        return [entry.prompt for entry, _ in entries]

    assert found(mode="pro") == ["A koi"]
    assert len(found(mode="std")) == 1
    assert len(found(text="otter")) == 1
    table = manager.library.to_dataframe()
    assert set(table["duration"]) == {3, 5}


def _id_of(task: qw.Task) -> str:
    from tests.waiting import until

    until(lambda: bool(task.task_id))
    return task.task_id


def test_continuing_an_edit_with_names_of_april(manager: qw.TaskManager) -> None:
    """A continuation begins with the frame and costs no input video, whatever the names and models."""
    source = manager.submit(prompt="A koi", duration=3)
    source.wait(60)
    first = manager.submit(
        model="kling-v3-omni",
        prompt="make it snow",
        mode="pro",
        action="edit",
        video_urls=list(source.video_urls),
    )
    first.wait(60)
    for model, field in (("kling-v3-omni", "image_with_roles"), ("kling-v3", "image_urls")):
        following = first.continue_from_last_frame("It leaps", model=model, duration=3)
        request = following.request
        assert request is not None
        assert (request.action, request.video_urls, request.resolution) == ("generate", (), "1080p")
        assert len(getattr(request, field)) == 1
        following.wait(60)
        assert following.cost == 3 * 50_400


def test_continuing_a_video_of_april(manager: qw.TaskManager, server: qw.Sandbox) -> None:
    """The first video has sound because April's default is so; its continuation has sound, too."""
    with qw.Sandbox(speed=200, draft=True) as april:
        client = qw.Client(april.api_key, april.base_url)
        with qw.TaskManager(client, qw.Library(manager.library.folder)) as first:
            key = first.submit(prompt="A koi", duration=3).wait(60).key
    row = manager.library.get(key)
    assert row is not None
    manager.library.put(replace(row, key="d" * 32, service=manager.service, task_id="task-april"))
    task = manager.adopt("d" * 32)
    assert task is not None
    assert task.contract == "2026-04"
    task_id = _id_of(task.continue_from_last_frame("It leaps"))
    assert server.requests[task_id]["generate_audio"] is True
