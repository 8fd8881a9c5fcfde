"""Every fault at every stage: what the user sees, how many tasks the service made, how many videos are saved.

``python -m tests.faults.table`` prints it; ``test_table.py`` holds it to be true.
"""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from qingbo_widgets.tasks.following import outage, saving, submission
from qingbo_widgets.widgets.card import text as task_text
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

__all__ = ["CASES", "Case", "Seen", "run"]

KEY = "sk-table-0123456789"
PATIENCE = 30.0
JSON = b'{"task_id": "task-1", "status": "queued", "progress": 0}'


@dataclass
class World:
    """What a case may spoil."""

    service: Service
    folder: Path
    library: Library
    port: int
    base_url: str
    is_up: bool = True
    is_late: bool = False
    is_full: bool = False
    max_video_bytes: int = 2 * 1024**3


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        stage: where it happens.
        fault: what happens.
        spoil: makes it happen.
        says: what the card says of it, at some moment, as a pattern.
        click: the button on the card that goes on; empty where it goes on by itself, or not at all.
        status: what the card's headline says in the end.
        tasks: how many tasks the service has made in the end.
        videos: how many videos are saved in the end.
    """

    stage: str
    fault: str
    spoil: Callable[[World], object]
    says: str
    click: str = ""
    status: str = "Finished"
    tasks: int = 1
    videos: int = 1

    def __str__(self) -> str:
        return f"{self.stage}: {self.fault}"


@dataclass
class Seen:
    """What happened.

    Attributes:
        said: every sentence that the card showed, oldest first.
        status: the headline's words in the end, tags removed.
        offered: the buttons of the card when nothing went on by itself.
        tasks: the tasks that the service made.
        before: the same before anybody clicked.
        videos: the videos saved, whole.
        rows: the journal: one status for each row.
    """

    said: list[str]
    status: str
    offered: list[str]
    tasks: int
    before: int
    videos: int
    rows: list[str]


# ---------------------------------------------------------------------- how to spoil


def at(stage: str, *faults: Step) -> Callable[[World], None]:
    """The next requests of a stage meet these faults."""
    return lambda world: world.service.faults[stage].extend(faults)


def lasting(stage: str, fault: Step) -> Callable[[World], None]:
    """Every request of a stage meets this fault, until the person clicks."""

    def spoil(world: World) -> None:
        faults = world.service.faults[stage]

        def step(exchange: Exchange) -> bool:
            faults.append(step)
            return fault(exchange)

        faults.append(step)

    return spoil


def hidden(fault: Step) -> Callable[[World], None]:
    """The task is made, and the fault hides that."""
    return lambda world: world.service.faults["submit"].append(world.service.taken(fault))


def saying(*answers: dict[str, Any]) -> Callable[[World], None]:
    """True statuses, but for these fields."""
    return lambda world: world.service.faults["status"].extend(
        world.service.saying(**changes) for changes in answers
    )


def about_another(world: World) -> None:
    """A cache in between confuses two tasks: the other one is completed, and its video is not ours."""
    link = {"url": f"{world.service.url}/videos/elsewhere.mp4"}
    saying({"task_id": "task-2", "status": "completed", "result": {"images": [], "videos": [link]}})(world)


def dated(status: int) -> Step:
    """An answer whose ``Retry-After`` is a date, by a clock that is an hour ahead."""
    theirs = datetime.now(UTC) + timedelta(hours=1)
    soon = format_datetime(theirs + timedelta(seconds=1), usegmt=True)
    return answer({}, status, Retry_After=soon, Date=format_datetime(theirs, usegmt=True))


def unkeyed(world: World) -> None:
    """A service that makes a second task for the same key, and whose first answer is lost."""
    world.service.knows_keys = False
    hidden(close)(world)


def clock(hours: int) -> Callable[[World], None]:
    """The service's clock is off."""
    return lambda world: setattr(world.service, "clock", timedelta(hours=hours))


def nobody(world: World) -> None:
    """Nobody listens."""
    world.is_up = False


def elsewhere(base_url: str) -> Callable[[World], None]:
    """An address that leads nowhere."""
    return lambda world: setattr(world, "base_url", base_url.format(port=world.port))


def late(world: World) -> None:
    """The service is up only after a while."""
    world.is_up, world.is_late = False, True


def full_disk(world: World) -> None:
    """The video goes to a device that is always full."""
    world.is_full = True


def no_folder(world: World) -> None:
    """A file stands where the folder should be."""
    world.folder.write_text("in the way", encoding="utf-8")


def failing(when: Callable[[Entry], bool], times: int = 99) -> Callable[[World], None]:
    """The journal cannot be written."""

    def spoil(world: World) -> None:
        real, left = world.library.put, [times]

        def write(entry: Entry, **held: Any) -> None:
            if left[0] and when(entry):
                left[0] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            real(entry, **held)

        world.library.put = write  # type: ignore[method-assign]

    return spoil


LOST: tuple[tuple[str, Step], ...] = (
    ("hangs up", close),
    ("resets", reset),
    ("says nothing", silence),
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
UNCONFIRMED = "may exist.*may be charged.*check.its id.*same idempotency key"
AWAY = "Not reachable since .* Trying again in"
BUSY = "The service asks to wait: .* Asking again in"
DOUBTED = "took this task, and now answers .* Asking again in"
REVOKED = answer({"error": {"message": "revoked"}}, 401)
MISSING = answer({"error": {"message": "no such task", "code": "task_not_found"}}, 404)

CASES = (
    Case("before sending", "refused, then up", late, WAITS),
    Case("before sending", "refused for good", nobody, UNSENT, AGAIN),
    Case(
        "before sending",
        "name not found",
        elsewhere("https://service.invalid/v1"),
        UNSENT,
        AGAIN,
    ),
    Case("before sending", "TLS fails", elsewhere("https://127.0.0.1:{port}/v1"), UNSENT, AGAIN),
    *(Case("before sending", name, at("submit", step), WAITS) for name, step in LIMITED),
    *(Case("after sending", name, hidden(step), UNCONFIRMED, "Check") for name, step in LOST),
    Case("after sending", "hangs up; knows keys", hidden(close), UNCONFIRMED, AGAIN),
    Case("after sending", "hangs up; knows no keys", unkeyed, UNCONFIRMED, AGAIN, tasks=2),
    *(Case("during the answer", name, hidden(step), UNCONFIRMED, "Check") for name, step in GARBLED),
    Case("during the answer", "502 in HTML; knows keys", hidden(html("<h1>Bad")), UNCONFIRMED, AGAIN),
    *(Case("polling", name, at("status", step, step), AWAY) for name, step in (*LOST, *GARBLED)),
    *(Case("polling", name, at("status", step, step), BUSY) for name, step in LIMITED),
    Case("polling", "429, Retry-After: 0", at("status", answer({}, 429, Retry_After="0")), BUSY),
    Case("polling", "503, Retry-After as a date", at("status", dated(503)), AWAY),
    Case("polling", "unknown status", saying({"status": "moderating"}), ""),
    Case("polling", "unknown and missing fields", saying({"novelty": [1], "progress": None, "model": 7}), ""),
    Case("polling", "about another task", about_another, "Not reachable.* another task, task-2.* Trying"),
    Case("polling", "progress backwards", saying({"progress": 60}, {"progress": 20}), ""),
    Case("polling", "clock 5 h ahead", clock(5), ""),
    Case("polling", "clock 5 h behind", clock(-5), ""),
    Case("polling", "401, once", at("status", REVOKED), DOUBTED),
    Case("polling", "404, once", at("status", MISSING), DOUBTED),
    Case(
        "polling",
        "key revoked",
        lasting("status", REVOKED),
        "Connect with a key that works",
        "connect()",
    ),
    Case("polling", "key revoked, then good again", lasting("status", REVOKED), "revoked", FOLLOW),
    Case("polling", "404 for good", lasting("status", MISSING), "no such task", FOLLOW),
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
        "which should be valid until .* Trying again in",
    ),
    Case(
        "downloading",
        "link expired for good",
        at("download", answer({}, 410), answer({}, 410)),
        "has expired .410",
        status="the video is not saved",
        videos=0,
    ),
    Case("downloading", "a web page", at("download", html("<p>Log in", 200)), "a web page", "Save again"),
    Case(
        "downloading",
        "too large",
        lambda world: setattr(world, "max_video_bytes", 50_000),
        "MB are accepted",
        status="the video is not saved",
        videos=0,
    ),
    Case("downloading", "disk full", full_disk, "the disk is full", "Save again"),
    Case("writing the row", "before sending", no_folder, "Nothing was sent", AGAIN),
    Case(
        "writing the row",
        "with the id",
        failing(lambda entry: entry.task_id != "", times=2),
        "Keep the id, task-1",
    ),
    Case("writing the row", "with the file", failing(lambda entry: entry.file is not None), "Keep the id"),
)  # fmt: skip


# ---------------------------------------------------------------------- how it is run


@contextlib.contextmanager
def hurried() -> Iterator[None]:
    """Pauses between tries are a fiftieth of what they are; how long they are is proven elsewhere."""
    real = schedule.retry_delay

    def soon(failures: int, retry_after: float | None = None) -> float:
        return real(failures, retry_after) / 50

    with contextlib.ExitStack() as stack:
        for module in (schedule, saving, submission):
            stack.enter_context(mock.patch.object(module, "retry_delay", soon))
        stack.enter_context(mock.patch.object(download, "_FIRST_PAUSE", 0.01))
        stack.enter_context(mock.patch.object(outage, "REFUSAL_PATIENCE", 0.5))
        yield


def run(case: Case, folder: Path) -> Seen:
    """Submits one task into the fault, clicks where the card asks for it, and tells what came of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service()
    folder = folder / "qingbo_videos"
    service.url = f"http://127.0.0.1:{port}"
    world = World(service, folder, Library(folder), port, base_url=f"{service.url}/v1")
    case.spoil(world)
    with hurried(), contextlib.ExitStack() as disk, contextlib.ExitStack() as stack:
        if world.is_full:
            full = mock.patch.object(leftovers, "create", lambda path: (path, FileIO("/dev/full", "r+")))
            disk.enter_context(full)
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
        said: list[str] = []
        task.observe(lambda change: said.append(str(change.new or "")), ["message", "error"])
        if world.is_late:
            _until(lambda: said)
            stack.enter_context(FaultServer(otherwise=service, port=port))
        _until(lambda: task.is_done)
        card = TaskCard(task)
        stack.callback(card.close)
        offered = buttons_of(card)
        said.append(_text(task_text.advice(task)))
        before = len(service.tasks)
        if case.click:
            # The trouble is over, and the person knows.
            if not world.is_up:
                stack.enter_context(FaultServer(otherwise=service, port=port))
            service.faults.clear()
            manager.client = stack.enter_context(Client(KEY, f"{service.url}/v1"))
            if folder.is_file():
                folder.unlink()
            disk.close()
            _click(case.click, card, service)
            _until(lambda: task.is_done and task.video_path)
        status = _text(task_text.headline(task))
    videos = [path for path in folder.glob("*.mp4") if path.read_bytes() == VIDEO]
    rows = [entry.status for entry in Library(folder).entries()]
    left = {path.suffix for path in folder.iterdir() if path.is_file()} - {".mp4", ".json", ".sqlite"}
    assert not left, f"lies about: {left}"
    return Seen(said, status, offered, len(service.tasks), before, len(videos), rows)


def _click(button: str, card: TaskCard, service: Service) -> None:
    if button == "connect()":
        card.task.manager.recover()  # type: ignore[attr-defined]  # a TaskManager
    elif button == "Check":
        card.id_field.value = next(iter(service.tasks))  # out of the service's dashboard
        card.check_button.click()
    else:
        name = button.lower().replace(" ", "_")
        getattr(card, f"{name}_button").click()


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        threading.Event().wait(0.005)


def _text(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", markup, flags=re.DOTALL)).split())


def main() -> None:
    """Prints the table as Markdown."""
    print("| stage | fault | the card says | then | tasks | videos |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            seen = run(case, Path(folder))
        telling = [text for text in seen.said if case.says and re.search(case.says, text)]
        says = telling[0] if telling else re.sub(r"\d+ %|\d+:\d\d", "", seen.status)
        then = f"*{case.click}*" if case.click else "by itself" if seen.videos else "it stays so"
        line = (case.stage, case.fault, says[:160], then, str(seen.tasks), str(seen.videos))
        print("| " + " | ".join(part.replace("|", "/") for part in line) + " |", flush=True)


if __name__ == "__main__":
    main()
