"""Tests of the ``repr`` of every public object: one short line, without markup, pictures or the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.snapshot import Video

KEY = "sk-sentinel-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
#: A prompt of 1,600 characters on several lines, into which the user has pasted the key.
PROMPT = f"a koi in a pond {KEY}\n" + "under the willows\n" * 90
LONGEST = 300
DATA_URL = "data:image/png;base64," + "A" * 4000

#: Whatever is no object of a user's: functions, and enumerations.
NO_OBJECTS = {
    *("PriceSource", "TaskStatus"),
    *("balance", "connect", "generate", "models", "price", "set_locale", "spending", "sweep"),
}
ERRORS = {
    name: value
    for name in qw.__all__
    if isinstance(value := getattr(qw, name), type) and issubclass(value, Exception)
}


@dataclass
class Made:
    """Two finished tasks, their sweep, and where they are."""

    sandbox: qw.Sandbox
    manager: qw.TaskManager
    sweep: qw.Sweep
    tasks: list[qw.Task]


@pytest.fixture(scope="module")
def made(server: qw.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Yield two finished videos."""
    library = qw.Library(tmp_path_factory.mktemp("reprs") / "qingbo_videos")
    manager = qw.TaskManager(qw.Client(server.api_key, server.base_url), library, poll_interval=0.1)
    sweep = qw.sweep(prompt=["a koi " * 100, "a carp " * 100], duration=3, manager=manager)
    sweep.wait(60)
    yield Made(server, manager, sweep, [cell.task for cell in sweep.cells if cell.task is not None])
    manager.close()


BUILDERS: dict[str, Callable[[Made], object]] = {
    "Budget": lambda _: qw.Budget("2.50", per="day"),
    "Balance": lambda _: qw.Balance(
        Decimal("16.517086"), Decimal("3.482914"), Decimal(20), datetime.now(UTC)
    ),
    "CameraControl": lambda _: qw.CameraControl("simple", {"zoom": 3}),
    "Client": lambda _: qw.Client(KEY),
    "Comparison": lambda made: qw.Comparison(made.tasks),
    "DynamicMask": lambda _: qw.DynamicMask("https://example.com/mask.png", [(0, 0), (9, 9)]),
    "FramePicker": lambda made: qw.FramePicker(made.tasks[0]),
    "Gallery": lambda made: qw.Gallery(made.manager),
    "Library": lambda made: made.manager.library,
    "Pairwise": lambda made: qw.Pairwise(made.tasks),
    "Price": lambda _: qw.Price(
        Decimal("0.378"), 189_000, source=qw.PriceSource.price_list, as_of=datetime.now(UTC)
    ),
    "Problem": lambda _: qw.VideoRequest(prompt=PROMPT * 3, duration=99).problems()[0],
    "RequestForm": lambda _: qw.RequestForm(prompt=PROMPT),
    "Sandbox": lambda made: made.sandbox,
    "Shot": lambda _: qw.Shot("a koi in a pond", 5),
    "Storage": lambda _: qw.Storage("s3://bucket/folder", key_id=KEY, secret=KEY),
    "Sweep": lambda made: made.sweep,
    "Task": lambda made: made.tasks[0],
    "TaskCard": lambda made: qw.TaskCard(made.tasks[0]),
    "TaskManager": lambda made: made.manager,
    "TaskSnapshot": lambda made: made.manager.client.status(made.tasks[0].task_id),
    "VideoRequest": lambda _: qw.VideoRequest(prompt=PROMPT, negative_prompt=PROMPT),
    "VideoStudio": lambda made: qw.VideoStudio(prompt=PROMPT, manager=made.manager),
}


def check(text: str) -> None:
    """Fail unless the text is one short line without markup, pictures or a key."""
    assert len(text.splitlines()) == 1, f"{len(text.splitlines())} lines: {text}"
    assert len(text) <= LONGEST, f"{len(text)} characters: {text}"
    assert not [mark for mark in ("<style", "data:", "<div") if mark in text], f"markup or a picture: {text}"
    assert KEY not in text, f"the key: {text}"


def test_no_public_object_is_left_out() -> None:
    """A new public class must be added to the tests here."""
    assert {*qw.__all__} == {*BUILDERS, *ERRORS} | NO_OBJECTS


@pytest.mark.parametrize("name", BUILDERS)
def test_a_repr_is_one_short_line(made: Made, name: str) -> None:
    """No repr fills a terminal or a log with markup, and none shows a key."""
    qw.Client(KEY)  # the package knows the key from now on
    built = BUILDERS[name](made)
    assert type(built).__name__ == name
    text = repr(built)
    check(text)
    assert made.sandbox.api_key not in text
    if isinstance(built, qw.TaskCard | qw.VideoStudio | qw.RequestForm | qw.Gallery):
        built.close()


@pytest.mark.parametrize(
    "name", ["Comparison", "FramePicker", "Gallery", "Pairwise", "RequestForm", "TaskCard"]
)
def test_a_widget_in_a_plain_python_says_what_to_do_there(made: Made, name: str) -> None:
    """The repr of a widget that cannot be shown has the code that does without one."""
    widget: Any = BUILDERS[name](made)
    text = repr(widget)
    widget.close()
    assert "need a notebook" in text, f"nothing about what to do: {text}"
    assert "qw.generate(" in text


def test_a_request_with_many_long_values_stays_short() -> None:
    """A picture as text and the prompts of six shots do not fill the terminal; a key is not cut in half."""
    qw.Client(KEY)
    shots = [qw.Shot(PROMPT, 3) for _ in range(6)]
    text = repr(qw.VideoRequest(shots=shots, image=DATA_URL, negative_prompt=PROMPT))
    assert len(text.splitlines()) == 1
    assert len(text) <= LONGEST, f"{len(text)} characters: {text}"
    assert KEY[:12] not in text, f"a part of the key: {text}"


def test_a_snapshot_shows_its_state() -> None:
    """The repr has what a user looks for: the id, the status, and the error."""
    videos = (Video("https://example.com/video.mp4?" + "signature" * 200),)
    snapshot = qw.TaskSnapshot("task-1", status=qw.TaskStatus.completed, progress=100, videos=videos)
    check(text := repr(snapshot))
    assert "task-1" in text
    assert "completed" in text
