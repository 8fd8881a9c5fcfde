"""Attacks by a very slow host: other videos are saved before their links expire, and every task ends."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, LinkExpired, TaskManager
from qingbo_widgets.tasks.following import fetching
from tests.faults.server import Exchange, FaultServer, answer
from tests.faults.service import VIDEO, Service, stage_of

SLOW_VIDEOS = 5


class SlowHost(Service):
    """A service that sends its first videos byte by byte, so that no timeout expires and none completes."""

    def serve(self, exchange: Exchange) -> bool:
        """Answer as the base class does, but send the first videos byte by byte."""
        name = Path(exchange.request.path).stem
        if stage_of(exchange.request) != "download" or int(name.partition("-")[2]) > SLOW_VIDEOS:
            return super().serve(exchange)
        exchange.send(200, {"Content-Length": str(len(VIDEO))}, VIDEO[:1000])
        while not exchange.stopped.wait(0.05):
            exchange.socket.sendall(b"\0")
        return False


@pytest.mark.slow
@pytest.mark.parametrize("lifetime", [timedelta(hours=24), timedelta(seconds=20)], ids=["a day", "20 s"])
def test_other_videos_are_saved(tmp_path: Path, lifetime: timedelta) -> None:
    """A video is saved within seconds although more slow downloads are running than there are slots."""
    service = SlowHost()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client("sk-slow-0123456789", f"{server.url}/v1")
        with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
            slow_tasks = [manager.submit(prompt=f"a snail, {number}") for number in range(SLOW_VIDEOS)]
            end = time.monotonic() + 30
            while any(task.download is None for task in slow_tasks):
                assert time.monotonic() < end, "not all downloads have started"
                time.sleep(0.01)
            service.lifetime = lifetime
            task = manager.submit(prompt="a hare").wait(20)
            assert task.video_path is not None
            assert task.video_path.read_bytes() == VIDEO
            assert not any(snail.is_done for snail in slow_tasks)


class SlowRefusal(Service):
    """A service whose host answers 410 after a delay."""

    def serve(self, exchange: Exchange) -> bool:
        """Answer as the base class does, but refuse the video."""
        if stage_of(exchange.request) != "download":
            return super().serve(exchange)
        exchange.stopped.wait(0.2)
        return answer(b"gone", 410)(exchange)


@pytest.mark.slow
def test_a_slow_refusal_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that takes longer than a link counts as fresh does not cause endless requests."""
    monkeypatch.setattr(fetching, "FRESH", 0.1)
    service = SlowRefusal()
    service.story = (("completed", 100),)
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client("sk-slow-0123456789", f"{server.url}/v1")
        manager = TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05)
        with manager, pytest.raises(LinkExpired):
            manager.submit(prompt="a snail").wait(20)
        downloads = [request for request in server.requests if stage_of(request) == "download"]
        assert len(downloads) <= 6
