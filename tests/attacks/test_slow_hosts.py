"""A host that crawls keeps no other video from being saved before its link dies, and no task for ever."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, LinkExpired, TaskManager
from qingbo_widgets.tasks.following import saving
from tests.faults.server import Exchange, FaultServer, answer
from tests.faults.service import VIDEO, Service, stage_of

CRAWLING = 5


class Crawling(Service):
    """A service whose first videos come a byte at a time, never quite silent, and would take for ever."""

    def serve(self, exchange: Exchange) -> bool:
        """Answer as a service does, or crawl."""
        name = Path(exchange.request.path).stem
        if stage_of(exchange.request) != "download" or int(name.partition("-")[2]) > CRAWLING:
            return super().serve(exchange)
        exchange.send(200, {"Content-Length": str(len(VIDEO))}, VIDEO[:1000])
        while not exchange.stopped.wait(0.05):
            exchange.socket.sendall(b"\0")
        return False


@pytest.mark.slow
@pytest.mark.parametrize("lifetime", [timedelta(hours=24), timedelta(seconds=20)], ids=["a day", "20 s"])
def test_the_others_are_saved(tmp_path: Path, lifetime: timedelta) -> None:
    """More videos crawl than are downloaded at a time; the next one is saved within seconds all the same."""
    service = Crawling()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client("sk-slow-0123456789", f"{server.url}/v1")
        with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
            crawling = [manager.submit(prompt=f"a snail, {number}") for number in range(CRAWLING)]
            end = time.monotonic() + 30
            while any(task.download is None for task in crawling):
                assert time.monotonic() < end, "not all of them have ended at the service"
                time.sleep(0.01)
            service.lifetime = lifetime
            task = manager.submit(prompt="a hare").wait(20)
            assert task.video_path is not None
            assert task.video_path.read_bytes() == VIDEO
            assert not any(snail.is_done for snail in crawling)


class Refusing(Service):
    """A service whose host takes its time to say that the video is gone."""

    def serve(self, exchange: Exchange) -> bool:
        """Answer as a service does, but for the video."""
        if stage_of(exchange.request) != "download":
            return super().serve(exchange)
        exchange.stopped.wait(0.2)
        return answer(b"gone", 410)(exchange)


@pytest.mark.slow
def test_a_slow_refusal_is_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that takes longer to refuse than a link needs to be old is not asked for ever."""
    monkeypatch.setattr(saving, "FRESH", 0.1)
    service = Refusing()
    service.story = (("completed", 100),)
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client("sk-slow-0123456789", f"{server.url}/v1")
        manager = TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05)
        with manager, pytest.raises(LinkExpired):
            manager.submit(prompt="a snail").wait(20)
        downloads = [request for request in server.requests if stage_of(request) == "download"]
        assert len(downloads) <= 6
