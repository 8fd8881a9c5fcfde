"""Tests of the sandbox's backend with a simulated clock."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.sandbox.backend import Backend, NotCancellable
from qingbo_widgets.sandbox.contracts import contract_of
from qingbo_widgets.sandbox.faults import Faults
from qingbo_widgets.sandbox.idempotency import KEY_LIFETIME
from qingbo_widgets.sandbox.order import Order, Shot
from qingbo_widgets.sandbox.render_pool import DrawFailure, Job, RenderPool
from tests.sandbox.drawing.films import Film, difference
from tests.waiting import until

REQUEST: dict[str, Any] = {"model": "kling-v1", "prompt": "a pond"}
HOUR = 3600.0


class Clock:
    """A clock that stands still until a test moves it."""

    now = 1_775_285_160.04

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock set to the time of the documentation's example."""
    return Clock()


def april(clock: Clock, **options: Any) -> Backend:
    """Return a backend of contract 2026-04."""
    return Backend(contract_of("2026-04"), clock=clock, **options)


def submit(backend: Backend, body: dict[str, Any], key: str = "") -> dict[str, Any]:
    """Submit, and return the answer of the contract."""
    entry = backend.submit(body, key)
    return backend.contract.resubmitted(backend.state(entry.task_id))


def status(backend: Backend, task_id: str) -> dict[str, Any]:
    """Return the status response of the contract."""
    return backend.contract.status(backend.state(task_id))


@pytest.fixture
def backend(clock: Clock) -> Iterator[Backend]:
    """Yield a backend that draws drafts and uses the simulated clock."""
    backend = april(clock, draft=True, link_lifetime=HOUR)
    backend.base_url = "http://127.0.0.1:1"
    yield backend
    backend.close()


def wait_until_drawn(backend: Backend, task_id: str) -> None:
    """Wait until the video of a task has been drawn or has failed."""
    assert backend.tasks[task_id].end_known.wait(60)


def test_a_task_from_submit_to_expiry(backend: Backend, clock: Clock) -> None:
    """A task is queued, processing, completed, each body in the documented form; then its link expires."""
    submitted = submit(backend, REQUEST)
    task_id = submitted.pop("task_id")
    assert task_id.startswith("task-wave1775285160040")
    assert submitted == {
        "model": "kling-v1",
        "action": "generate",
        "status": "queued",
        "created_at": 1775285160040,
        "progress": 0,
    }

    urls = {
        "get": f"http://127.0.0.1:1/v1/tasks/{task_id}",
        "cancel": f"http://127.0.0.1:1/v1/tasks/{task_id}/cancel",
    }
    assert status(backend, task_id) == {"task_id": task_id, **submitted, "urls": urls}

    plan = backend.tasks[task_id].plan
    wait_until_drawn(backend, task_id)
    clock.now += plan.starts
    processing = status(backend, task_id)
    assert processing["status"] == "processing"
    assert processing["start_time"] == int(clock.now * 1000)
    assert "result" not in processing
    assert "completed_at" not in processing

    clock.now += plan.ends - plan.starts + 1
    completed = status(backend, task_id)
    assert (completed["status"], completed["progress"]) == ("completed", 100)
    assert completed["completed_at"] == int((clock.now - 1) * 1000)
    assert completed["result"]["images"] == []
    (video,) = completed["result"]["videos"]
    assert video["expires_at"] == completed["completed_at"] + HOUR * 1000

    link = video["url"].removeprefix("http://127.0.0.1:1/videos/").removesuffix(".mp4")
    assert backend.video(link).stat().st_size > 1000
    clock.now += HOUR
    assert backend.video(link) is None
    assert status(backend, task_id) == completed


def test_a_task_is_not_completed_before_its_video_is_drawn(clock: Clock) -> None:
    """A late task whose video is not ready is still processing, below 100 percent."""
    backend = april(clock, draft=True)
    try:
        task_id = submit(backend, REQUEST)["task_id"]
        entry = backend.tasks[task_id]
        wait_until_drawn(backend, task_id)
        entry.drawn = None
        clock.now += 10 * HOUR
        late = status(backend, task_id)
        assert late["status"] == "processing"
        assert 0 < late["progress"] < 100
        entry.drawn = clock.now
        assert status(backend, task_id)["completed_at"] == int(clock.now * 1000)
    finally:
        backend.close()


def test_cancel_only_in_the_queue(backend: Backend, clock: Clock) -> None:
    """Only a queued task can be cancelled; its quota is refunded and its drawing stopped."""
    first, second = (submit(backend, {**REQUEST, "duration": 10})["task_id"] for _ in range(2))
    answer = backend.contract.cancelled(backend.cancel(first))
    assert answer == {"task_id": first, "status": "cancelled", "refunded": True, "refunded_quota": 100_000}
    clock.now += HOUR
    cancelled = status(backend, first)
    assert (cancelled["status"], cancelled["progress"]) == ("cancelled", 0)
    assert cancelled["completed_at"] == cancelled["created_at"]
    assert not {"result", "error", "start_time"} & set(cancelled)
    for task_id in (first, second):
        with pytest.raises(NotCancellable):
            backend.cancel(task_id)
    with pytest.raises(KeyError):
        backend.cancel("task-wave0")


def test_a_task_fails_on_demand(backend: Backend, clock: Clock) -> None:
    """A fault lets tasks with a matching prompt fail with its code during processing."""
    backend.faults = Faults(fail="upstream_unavailable", fail_prompt="storm")
    shots = {"shot_1_prompt": "calm", "shot_1_duration": 2, "shot_2_prompt": "a storm", "shot_2_duration": 3}
    task_id = submit(backend, {"model": "kling-v3", "extra": shots})["task_id"]
    assert status(backend, task_id)["status"] == "queued"
    clock.now += HOUR
    failed = status(backend, task_id)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "upstream_unavailable"
    assert failed["error"]["message"]
    assert failed["progress"] < 100
    assert "result" not in failed
    assert not Faults(fail="x", fail_prompt="storm").fails(["calm"])


def test_pictures_that_can_be_published(backend: Backend, tmp_path: Path) -> None:
    """JPEG, PNG and WebP get a URL that cannot be guessed; other files are refused."""
    for suffix in ("png", "jpg", "webp"):
        path = tmp_path / f"a.{suffix}"
        Image.new("RGB", (4, 4)).save(path)
        url = backend.publish(path)
        assert len(url) > 50
        assert backend.published.file(url.rpartition("/")[2]) == (path, None)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.gif")
    (tmp_path / "a.png").write_text("no picture", encoding="utf-8")
    for name in ("a.gif", "a.png"):
        with pytest.raises(ValueError, match="JPEG, PNG or WebP"):
            backend.publish(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        backend.publish(tmp_path / "none.png")


def test_close_removes_the_videos(clock: Clock) -> None:
    """Closing removes the folder of videos, even during a drawing."""
    backend = april(clock)
    task_id = submit(backend, {**REQUEST, "extra": {"mode": "pro"}, "duration": 10})["task_id"]
    folder = backend.tasks[task_id].video.parent
    assert folder.is_dir()
    backend.close()
    assert not folder.exists()


def test_an_idempotency_key_creates_one_task(backend: Backend, clock: Clock) -> None:
    """The same key within 24 hours returns the same task; a different or later key creates a new one."""
    first = submit(backend, REQUEST, "key-1")
    assert submit(backend, REQUEST, "key-1") == first
    assert submit(backend, {**REQUEST, "prompt": "another"}, "key-1")["task_id"] == first["task_id"]
    backend.cancel(first["task_id"])
    assert submit(backend, REQUEST, "key-1")["status"] == "cancelled"
    others = [submit(backend, REQUEST, key)["task_id"] for key in ("key-2", "", "")]
    clock.now += KEY_LIFETIME
    others.append(submit(backend, REQUEST, "key-1")["task_id"])
    assert len({first["task_id"], *others}) == 5


def test_a_drawing_that_cannot_start_ends_its_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the machine cannot start a process, the task fails, and the next one is drawn."""
    ends: Queue[DrawFailure | None] = Queue()
    order = Order((Shot("A koi", 3),))
    pool = RenderPool()
    with monkeypatch.context() as broken:
        broken.setattr(subprocess, "Popen", lambda *_, **__: (_ for _ in ()).throw(OSError("no memory")))
        pool.draw(order, tmp_path / "1.mp4", ends.put, draft=True)
        failure = ends.get(timeout=30)
    assert failure is not None
    assert "no memory" in failure.message
    pool.draw(order, tmp_path / "2.mp4", ends.put, draft=True)
    assert ends.get(timeout=60) is None
    pool.close()


@pytest.mark.slow
def test_the_progress_is_that_of_the_drawing(clock: Clock) -> None:
    """On a machine slower than the plan the percent follow the frames: they never fall or wait at 98."""
    backend = april(clock)
    try:
        task_id = backend.submit(REQUEST).task_id
        entry = backend.tasks[task_id]
        clock.now += 10 * HOUR  # by its plan it is long over
        seen: list[int] = []

        def is_drawn() -> bool:
            percent = entry.percent(clock.now)
            if entry.drawn is None:  # still, so the percent are from before the end
                seen.append(percent)
            return entry.drawn is not None

        until(is_drawn)
        assert seen == sorted(seen), f"the bar went back: {seen}"
        assert max(seen) <= 99
        assert len(set(seen)) > 10, f"the bar stood still or leapt: {sorted(set(seen))}"
        stuck = seen.count(98) + seen.count(99)
        assert stuck < len(seen) / 4, f"the bar was at its end for {stuck} of {len(seen)} looks"
        assert status(backend, task_id)["progress"] == 100
    finally:
        backend.close()


def test_a_task_without_a_place_to_draw_is_queued(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos are drawn at a time; the third is queued, and can be cancelled, until its turn has come."""
    places: Queue[None] = Queue()

    def draw(*_: Any, **__: Any) -> None:
        places.get(timeout=60)

    monkeypatch.setattr(Job, "run", draw)
    backend = april(clock)
    try:
        first, second, third = (backend.submit(REQUEST).task_id for _ in range(3))
        until(lambda: None not in (backend.tasks[first].begun, backend.tasks[second].begun))
        clock.now += HOUR
        assert [status(backend, name)["status"] for name in (first, second)] == ["processing", "processing"]
        assert status(backend, third)["status"] == "queued"
        assert status(backend, third)["progress"] == 0
        places.put(None)
        until(lambda: backend.tasks[third].begun is not None)
        assert status(backend, third)["status"] == "processing"
        assert status(backend, third)["start_time"] == int(clock.now * 1000)
    finally:
        for _ in range(3):
            places.put(None)
        backend.close()


@pytest.mark.slow
def test_two_tasks_of_one_request_show_it_differently(clock: Clock) -> None:
    """A repetition is another video of the same scene; a submission sent again with its key is the same."""
    backend = april(clock)
    try:
        body = {**REQUEST, "duration": 5}
        first, second = backend.submit(body, "one"), backend.submit(body, "two")
        again = backend.submit(body, "one")
        assert again is first
        for entry in (first, second):
            wait_until_drawn(backend, entry.task_id)
        films = [Film(entry.video) for entry in (first, second)]
        assert films[0].bytes != films[1].bytes
        assert difference(films[0].frames[60], films[1].frames[60]) > 2, "nobody could tell the two apart"
    finally:
        backend.close()
