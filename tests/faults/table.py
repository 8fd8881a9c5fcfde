"""Every fault at every stage: the text on the card, the number of created tasks and of saved videos.

``python -m tests.faults.table`` prints the table; ``test_table.py`` checks it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sqlite3
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from io import FileIO
from pathlib import Path
from typing import Any
from unittest import mock

from qingbo_widgets import Client, Library, TaskManager
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.service.download import download, leftovers
from qingbo_widgets.tasks import schedule
from qingbo_widgets.tasks.following import disk as disk_module
from qingbo_widgets.tasks.following import fetching, links, submission
from qingbo_widgets.tasks.following import outage as outage_module
from qingbo_widgets.widgets.card import head, remedies
from qingbo_widgets.widgets.card.task_card import TaskCard
from tests.faults.server import (
    Exchange,
    FaultServer,
    Step,
    answer,
    close,
    drip,
    file,
    html,
    partial,
    reset,
    silence,
    unannounced,
)
from tests.faults.service import VIDEO, Service
from tests.widgets.page import buttons_of

__all__ = ["CASES", "Case", "Outcome", "run"]

KEY = "sk-table-0123456789"
PATIENCE = 30.0
JSON = b'{"task_id": "task-1", "status": "queued", "progress": 0}'


@dataclass
class World:
    """The parts of a run that a fault can change."""

    service: Service
    folder: Path
    library: Library
    port: int
    base_url: str
    is_up: bool = True
    is_late: bool = False
    disk: list[contextlib.AbstractContextManager[Any]] = field(default_factory=list)
    max_video_bytes: int = 2 * 1024**3


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        stage: the stage at which the fault occurs.
        fault: the fault's description.
        inject: the function that injects the fault.
        card_text: a pattern that a text of the card matches at some moment.
        click: the button on the card that continues; empty if the task continues by itself, or not at all.
        status: a part of the card's headline at the end.
        tasks: the number of tasks that the service has created at the end.
        videos: the number of videos saved at the end.
    """

    stage: str
    fault: str
    inject: Callable[[World], object]
    card_text: str
    click: str = ""
    status: str = "Finished"
    tasks: int = 1
    videos: int = 1

    def __str__(self) -> str:
        return f"{self.stage}: {self.fault}"


@dataclass
class Outcome:
    """The outcome of a case.

    Attributes:
        texts: every text that the card showed, oldest first.
        status: the text of the headline at the end, without tags.
        buttons: the buttons of the card once the task no longer continued by itself.
        tasks: the number of tasks that the service created.
        tasks_before_click: the same number before the click.
        videos: the number of complete videos that were saved.
        rows: the status of each row of the journal.
    """

    texts: list[str]
    status: str
    buttons: list[str]
    tasks: int
    tasks_before_click: int
    videos: int
    rows: list[str]


# ---------------------------------------------------------------------- faults


def at(stage: str, *faults: Step) -> Callable[[World], None]:
    """Inject these faults into the next requests of a stage."""
    return lambda world: world.service.faults[stage].extend(faults)


def every_time(stage: str, fault: Step) -> Callable[[World], None]:
    """Inject this fault into every request of a stage until the user clicks."""

    def inject(world: World) -> None:
        faults = world.service.faults[stage]

        def step(exchange: Exchange) -> bool:
            faults.append(step)
            return fault(exchange)

        faults.append(step)

    return inject


def after_creation(fault: Step) -> Callable[[World], None]:
    """Inject a fault that hides from the client that its task was created."""
    return lambda world: world.service.faults["submit"].append(world.service.create_then(fault))


def statuses_with(*answers: dict[str, Any]) -> Callable[[World], None]:
    """Change these fields of the true statuses."""
    return lambda world: world.service.faults["status"].extend(
        world.service.status_with(**changes) for changes in answers
    )


def confused_tasks(world: World) -> None:
    """Answer with the status of another task, as a cache may: it is completed, with another video."""
    link = {"url": f"{world.service.url}/videos/elsewhere.mp4"}
    statuses_with({"task_id": "task-2", "status": "completed", "result": {"images": [], "videos": [link]}})(
        world
    )


def dated(status: int) -> Step:
    """Return an answer whose ``Retry-After`` is a date, by a clock that is an hour ahead."""
    theirs = datetime.now(UTC) + timedelta(hours=1)
    soon = format_datetime(theirs + timedelta(seconds=1), usegmt=True)
    return answer({}, status, Retry_After=soon, Date=format_datetime(theirs, usegmt=True))


def not_idempotent(world: World) -> None:
    """Lose the first answer of a service that creates a second task for the same idempotency key."""
    world.service.is_idempotent = False
    after_creation(close)(world)


def clock(hours: int) -> Callable[[World], None]:
    """Move the service's clock by these hours."""
    return lambda world: setattr(world.service, "clock", timedelta(hours=hours))


def service_down(world: World) -> None:
    """Do not start the service until the user clicks."""
    world.is_up = False


def wrong_base_url(base_url: str) -> Callable[[World], None]:
    """Use a base URL that does not lead to the service."""
    return lambda world: setattr(world, "base_url", base_url.format(port=world.port))


def started_late(world: World) -> None:
    """Start the service only after the first failed try."""
    world.is_up, world.is_late = False, True


def full_disk(world: World) -> None:
    """Write the video to a device that is always full, two times."""
    create, left = leftovers.create, [2]

    def open_part(path: Path) -> tuple[Path, FileIO]:
        left[0] -= 1
        return create(path) if left[0] < 0 else (path, FileIO("/dev/full", "r+"))

    world.disk.append(mock.patch.object(leftovers, "create", open_part))


def held_name(world: World) -> None:
    """Refuse two times to rename the complete video, as a sync program does."""
    replace, left = os.replace, [2]

    def rename(source: Any, target: Any, **folders: Any) -> None:
        if str(target).endswith(".mp4") and left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace(source, target, **folders)

    world.disk.append(mock.patch.object(os, "replace", rename))


def no_flush(world: World) -> None:
    """Refuse to flush a file, as a network drive does."""
    refused = OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    world.disk.append(mock.patch.object(os, "fsync", mock.Mock(side_effect=refused)))


def no_folder(world: World) -> None:
    """Put a file at the path of the folder."""
    world.folder.write_text("in the way", encoding="utf-8")


def failing_journal(when: Callable[[Entry], bool], times: int = 99) -> Callable[[World], None]:
    """Make the journal's next writes of matching entries fail."""

    def inject(world: World) -> None:
        put, remaining = world.library.put, [times]

        def write(entry: Entry, **held: Any) -> None:
            if remaining[0] and when(entry):
                remaining[0] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            put(entry, **held)

        world.library.put = write  # type: ignore[method-assign]

    return inject


LOST: tuple[tuple[str, Step], ...] = (
    ("hangs up", close),
    ("resets", reset),
    ("no answer", silence),
)
GARBLED: tuple[tuple[str, Step], ...] = (
    ("cut off", partial(JSON, 20)),
    ("dripping", drip(JSON, 0.05)),
    ("502 in HTML", html("<h1>Bad Gateway</h1>")),
    ("200 in HTML", html("<h1>Welcome to the Wi-Fi</h1>", 200)),
    ("broken JSON", answer(b'{"task_id": ')),
    ("500", answer({"error": {"message": "internal", "code": "internal_error"}}, 500)),
    ("503, Retry-After", answer({}, 503, Retry_After="1")),
)
LIMITED: tuple[tuple[str, Step], ...] = (
    ("429, Retry-After in seconds", answer({}, 429, Retry_After="1")),
    ("429, Retry-After as a date", dated(429)),
)
HALF = file(VIDEO, cut_at=9999, ETag='"1"')
SIXTHS = [file(VIDEO, cut_at=number * len(VIDEO) // 6, ETag='"1"') for number in range(1, 6)]
LONG = answer({}, 503, Retry_After="20")
AGAIN = "Submit again"
FOLLOW = "Follow again"
UNSENT = "Nothing was sent"
WAITS = "Nothing .* yet; trying again in"
UNCONFIRMED = "may exist.*may be charged.*check..its id.*same idempotency key"
AWAY = "The service has been unreachable since .* Trying again in"
FAULTY = "The service has (returned errors|sent unusable responses|been unreachable) since .* Trying again in"
BUSY = "The service asks to wait: .* Asking again in"
DOUBTED = "accepted this task, but now responds: .* Asking again in"
REVOKED = answer({"error": {"message": "revoked"}}, 401)
MISSING = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)

CASES = (
    Case("before sending", "refused, then up", started_late, WAITS),
    Case("before sending", "refused for good", service_down, UNSENT, AGAIN),
    Case(
        "before sending",
        "name not found",
        wrong_base_url("https://service.invalid/v1"),
        UNSENT,
        AGAIN,
    ),
    Case("before sending", "TLS fails", wrong_base_url("https://127.0.0.1:{port}/v1"), UNSENT, AGAIN),
    *(Case("before sending", name, at("submit", step), WAITS) for name, step in LIMITED),
    *(Case("after sending", name, after_creation(step), UNCONFIRMED, "Check") for name, step in LOST),
    Case("after sending", "hangs up; idempotent", after_creation(close), UNCONFIRMED, AGAIN),
    Case("after sending", "hangs up; not idempotent", not_idempotent, UNCONFIRMED, AGAIN, tasks=2),
    *(Case("during the answer", name, after_creation(step), UNCONFIRMED, "Check") for name, step in GARBLED),
    Case(
        "during the answer",
        "502 in HTML; idempotent",
        after_creation(html("<h1>Bad")),
        UNCONFIRMED,
        AGAIN,
    ),
    *(Case("polling", name, at("status", step, step), AWAY) for name, step in LOST),
    *(Case("polling", name, at("status", step, step), FAULTY) for name, step in GARBLED),
    *(Case("polling", name, at("status", step, step), BUSY) for name, step in LIMITED),
    Case("polling", "429, Retry-After: 0", at("status", answer({}, 429, Retry_After="0")), BUSY),
    Case("polling", "503, Retry-After as a date", at("status", dated(503)), FAULTY),
    Case("polling", "unknown status", statuses_with({"status": "moderating"}), ""),
    Case(
        "polling",
        "unknown and missing fields",
        statuses_with({"novelty": [1], "progress": None, "model": 7}),
        "",
    ),
    Case(
        "polling",
        "about another task",
        confused_tasks,
        "sent unusable responses since .* another task, task-2.* Trying",
    ),
    Case("polling", "progress backwards", statuses_with({"progress": 60}, {"progress": 20}), ""),
    Case("polling", "clock 5 h ahead", clock(5), ""),
    Case("polling", "clock 5 h behind", clock(-5), ""),
    Case("polling", "401, once", at("status", REVOKED), DOUBTED),
    Case("polling", "404, once", at("status", MISSING), DOUBTED),
    Case(
        "polling",
        "key revoked",
        every_time("status", REVOKED),
        "Connect with a valid key",
        "connect()",
    ),
    Case("polling", "key revoked, then good again", every_time("status", REVOKED), "revoked", FOLLOW),
    Case("polling", "404 for good", every_time("status", MISSING), "no such task", FOLLOW),
    *(Case("downloading", name, at("download", step), "") for name, step in LOST),
    Case("downloading", "cut off, 3 times", at("download", *[HALF] * 3), ""),
    Case("downloading", "cut off, 4 times", at("download", *[HALF] * 4), "4 tries .* Trying again in"),
    Case("downloading", "cut off at each sixth", at("download", *SIXTHS), ""),
    Case("downloading", "cut off, no length announced", at("download", unannounced(VIDEO[:9999])), ""),
    Case("downloading", "cut off, a wrong length announced", at("download", answer(VIDEO[:9999])), ""),
    Case("downloading", "500", at("download", *[answer({}, 500)] * 4), "answered 500.* Trying again in"),
    Case("downloading", "503, long Retry-After", at("download", LONG), "Retry in 20 s"),
    *(Case("downloading", name, at("download", step), "") for name, step in LIMITED),
    Case("downloading", "link expired, a new one works", at("download", answer({}, 403)), ""),
    Case(
        "downloading",
        "404 and 403 for a while",
        at("download", *[answer({}, 404)] * 3, answer({}, 403)),
        "although it should be valid until .* Trying again in",
    ),
    Case(
        "downloading",
        "link expired for good",
        at("download", answer({}, 410), answer({}, 410)),
        "has expired .410",
        status="the video is not saved",
        videos=0,
    ),
    Case(
        "downloading",
        "a web page, twice",
        at("download", *[html("<p>Log in", 200)] * 2),
        "a web page .* Trying again in",
    ),
    Case("downloading", "compressed, unasked", at("download", answer(zlib.compress(VIDEO))), ""),
    Case("downloading", "206 to a plain request", at("download", answer(VIDEO, 206)), ""),
    Case("downloading", "401, a new link works", at("download", answer({}, 401)), ""),
    Case(
        "downloading",
        "too large",
        lambda world: setattr(world, "max_video_bytes", 50_000),
        "the limit is .* MB",
        status="the video is not saved",
        videos=0,
    ),
    Case("downloading", "disk full, twice", full_disk, "the disk is full.* Trying again in"),
    Case("downloading", "name refused, twice", held_name, "is complete, as .* Trying again in"),
    Case("downloading", "no flushing", no_flush, ""),
    Case("writing the row", "before sending", no_folder, "Nothing was sent", AGAIN),
    Case(
        "writing the row",
        "with the id",
        failing_journal(lambda entry: entry.task_id != "", times=2),
        "Keep the id, task-1",
    ),
    Case(
        "writing the row",
        "with the file",
        failing_journal(lambda entry: entry.file is not None),
        "Keep the id",
    ),
)  # fmt: skip


# ---------------------------------------------------------------------- running a case


@contextlib.contextmanager
def short_pauses() -> Iterator[None]:
    """Shorten the pauses between tries to a fiftieth; other tests check their length."""
    retry_delay = schedule.retry_delay

    def soon(failures: int, retry_after: float | None = None) -> float:
        return retry_delay(failures, retry_after) / 50

    with contextlib.ExitStack() as stack:
        for module in (schedule, fetching, links, disk_module, submission):
            stack.enter_context(mock.patch.object(module, "retry_delay", soon))
        stack.enter_context(mock.patch.object(download, "_FIRST_PAUSE", 0.01))
        stack.enter_context(mock.patch.object(outage_module, "REFUSAL_PATIENCE", 0.5))
        yield


def run(case: Case, folder: Path) -> Outcome:
    """Submit one task with the fault, click the card's button if necessary, and return the outcome."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service()
    folder = folder / "qingbo_videos"
    service.url = f"http://127.0.0.1:{port}"
    world = World(service, folder, Library(folder), port, base_url=f"{service.url}/v1")
    case.inject(world)
    with short_pauses(), contextlib.ExitStack() as stack:
        for disk in world.disk:
            stack.enter_context(disk)
        if world.is_up:
            stack.enter_context(FaultServer(otherwise=service, port=port))
        manager = stack.enter_context(
            TaskManager(
                Client(KEY, world.base_url, timeout=(2.0, 0.4)),
                world.library,
                poll_interval=0.05,
                submit_patience=20.0 if world.is_late else 0.05,
                max_video_bytes=world.max_video_bytes,
            )
        )
        task = manager.submit(prompt="一条锦鲤")
        texts: list[str] = []
        task.observe(lambda change: texts.append(str(change.new or "")), ["message", "error"])
        if world.is_late:
            _until(lambda: texts)
            stack.enter_context(FaultServer(otherwise=service, port=port))
        _until(lambda: task.is_done)
        card = TaskCard(task)
        stack.callback(card.close)
        buttons = buttons_of(card)
        texts.append(_text(remedies.advice(task)))
        tasks_before_click = len(service.tasks)
        if case.click:
            # The fault is over, and the user clicks.
            if not world.is_up:
                stack.enter_context(FaultServer(otherwise=service, port=port))
            service.faults.clear()
            manager.client = stack.enter_context(Client(KEY, f"{service.url}/v1"))
            if folder.is_file():
                folder.unlink()
            _click(case.click, card, service)
            _until(lambda: task.is_done and task.video_path)
        status = _text(head.headline(task))
    videos = [path for path in folder.glob("*.mp4") if path.read_bytes() == VIDEO]
    rows = [entry.status for entry in Library(folder).entries()]
    left = {path.suffix for path in folder.iterdir() if path.is_file()} - {".mp4", ".json", ".sqlite"}
    assert not left, f"files left behind: {left}"
    return Outcome(texts, status, buttons, len(service.tasks), tasks_before_click, len(videos), rows)


def _click(button: str, card: TaskCard, service: Service) -> None:
    if button == "connect()":
        card.task.manager.recover()  # type: ignore[attr-defined]  # a TaskManager
    elif button == "Check":
        card.buttons.id_field.value = next(iter(service.tasks))  # from the service's dashboard
        card.buttons.check_button.click()
    else:
        name = button.lower().replace(" ", "_")
        getattr(card.buttons, f"{name}_button").click()


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        threading.Event().wait(0.005)


def _text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", markup, flags=re.DOTALL)).split())


def main() -> None:
    """Print the table as Markdown."""
    print("| stage | fault | the card shows | then | tasks | videos |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(case, Path(folder))
        matching = [text for text in outcome.texts if case.card_text and re.search(case.card_text, text)]
        card_text = matching[0] if matching else re.sub(r"\d+ %|\d+:\d\d", "", outcome.status)
        then = f"*{case.click}*" if case.click else "by itself" if outcome.videos else "nothing"
        line = (case.stage, case.fault, card_text[:160], then, str(outcome.tasks), str(outcome.videos))
        print("| " + " | ".join(part.replace("|", "/") for part in line) + " |", flush=True)


if __name__ == "__main__":
    main()
