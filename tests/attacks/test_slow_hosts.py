"""A host that crawls keeps no other video from being saved before its link dies."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, TaskManager
from tests.faults.server import Exchange, FaultServer
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
