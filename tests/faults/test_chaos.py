"""Everything at once: a third of the requests disturbed, the kernel killed ten times, and nothing is lost."""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest

from qingbo_widgets import Library
from qingbo_widgets.sandbox import Sandbox
from tests.faults.chaos import PROMPT
from tests.faults.server import Exchange, FaultServer, Received, answer, close, html, reset

TASKS, KILLS = 50, 10
SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEEDS", "1").split(",")]
HOPS = ("connection", "transfer-encoding", "content-length", "server", "date")


class Weather:
    """Stands between the client and the sandbox, and disturbs every third request, on its way in or out.

    Attributes:
        disturbed: how often each fault happened.
        passed: how many requests went through.
    """

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.url = ""
        self.disturbed: Counter[str] = Counter()
        self.passed = 0
        self._sandbox = sandbox
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> bool:
        """Answers one request, somehow."""
        if exchange.request.path == "/dashboard":
            return answer(self.made())(exchange)
        with self._lock:
            is_bad, kind, where = self._dice.random() < 1 / 3, self._dice.randrange(4), self._dice.random()
            name = ("refused", "lost", "hidden", "cut")[kind]
            self.passed += not is_bad
            self.disturbed[name] += is_bad
        if is_bad and name == "refused":  # it never arrives
            faults = (
                answer({}, 503, Retry_After="0"),
                answer({}, 429, Retry_After="0"),
                html("<p>no"),
                close,
            )
            return faults[int(where * 4)](exchange)
        status, headers, body = self._forward(exchange.request)
        if is_bad and name == "lost":  # it arrives, and the answer does not
            return (reset, close)[int(where * 2)](exchange)
        if is_bad and name == "hidden":
            return (html("<h1>502"), html("<p>Welcome", 200), answer(b'{"ta'))[int(where * 3)](exchange)
        exchange.send(status, headers, body[: int(where * len(body))] if is_bad else body)
        return not is_bad

    def made(self) -> dict[str, str]:
        """The tasks that the service has made: its dashboard."""
        return {body["prompt"]: task_id for task_id, body in self._sandbox.requests.items()}

    def _forward(self, request: Received) -> tuple[int, dict[str, str], bytes]:
        root = self._sandbox.base_url.removesuffix("/v1")
        connection = http.client.HTTPConnection(urlsplit(root).netloc, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", *HOPS)}
        try:
            connection.request(request.method, request.path, request.body or None, headers)
            got = connection.getresponse()
            body = got.read()
        finally:
            connection.close()
        if got.headers.get_content_type() == "application/json":
            body = body.replace(root.encode(), self.url.encode())  # the videos are fetched through here, too
        kept = {name: value for name, value in got.getheaders() if name.lower() not in HOPS}
        return got.status, kept | {"Content-Length": str(len(body))}, body


def frames_of(path: Path) -> int:
    """Decodes a video to its end."""
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_is_paid_for_twice(seed: int, tmp_path: Path) -> None:
    """50 tasks, a third of the requests disturbed, 10 times kill -9: 50 tasks made, 50 videos, 50 rows."""
    print(f"seed {seed}; CHAOS_SEEDS=1,2,… tries others")
    dice, began = random.Random(seed), time.monotonic()
    folder, log = tmp_path / "qingbo_videos", (tmp_path / "kernels.log").open("w", encoding="utf-8")

    def said() -> str:
        return Path(log.name).read_text(encoding="utf-8")

    with log, Sandbox(speed=50, draft=True) as sandbox:
        weather = Weather(sandbox, seed)
        with FaultServer(otherwise=weather) as server:
            weather.url = server.url
            for life in range(KILLS + 1):
                kernel = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "tests.faults.chaos",
                        folder,
                        server.url,
                        str(TASKS),
                        f"{seed}/{life}",
                    ],
                    env={**os.environ, "QINGBO_API_KEY": sandbox.api_key},
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                )
                assert kernel.stdout is not None
                with kernel, kernel.stdout:
                    assert kernel.stdout.readline() == "awake\n", said()
                    if life < KILLS:
                        threading.Event().wait(dice.uniform(0.0, 2.5))
                        kernel.kill()
                    else:
                        assert kernel.stdout.readline() == "finished\n", said()
            made = list(weather.made())
            count = len(sandbox.requests)
    rows = Library(folder).entries()
    print(f"{time.monotonic() - began:.0f} s, {weather.passed} requests went well, {dict(weather.disturbed)}")
    assert count == TASKS
    assert sorted(made) == [PROMPT.format(number) for number in range(TASKS)]
    assert Counter(row.status for row in rows) == {"completed": TASKS}
    videos = sorted(path for path in folder.iterdir() if path.suffix == ".mp4")
    assert sorted(str(row.file) for row in rows) == sorted(path.name for path in videos)
    kept = Counter(path.suffix for path in folder.iterdir() if path.is_file())
    assert kept == {".mp4": TASKS, ".json": TASKS, ".sqlite": 1}
    assert all(frames_of(path) > 50 for path in videos)
