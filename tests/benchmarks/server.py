"""One server for all clients, with tasks of known durations in the wire format of each client.

The formats share the tasks, the latency and the code, so that any difference between two clients comes from
the clients. The server runs in its own process and prints its address on the first line. ``GET /stats``
returns when each task ended, how often it was polled, and the total number of connections, downloads
included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["running", "stats"]

#: Bytes sent at once.
PIECE = 32 * 1024
#: Seconds that the bandwidth limit may catch up after the event loop woke up late.
SLACK = 0.05
#: A placeholder for the video in benchmarks that do not measure it.
VIDEO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2\0\0\0\x08moov\0\0\3\xf8mdat" + bytes(1008)


@dataclass
class Job:
    """A task: when it was created and when it ends (Unix seconds), and how often it was polled."""

    id: str
    created: float
    seconds: float
    polls: int = 0

    @property
    def ends(self) -> float:
        return self.created + self.seconds

    @property
    def share(self) -> float:
        return min((time.time() - self.created) / self.seconds, 1.0)


@dataclass
class Service:
    """The tasks of one run, and the clients' requests.

    Attributes:
        low: seconds that the shortest task takes.
        high: seconds that the longest takes.
        latency: seconds before each response about a task.
        video: video of every finished task.
        rate: maximum video bytes per second, for all connections together; 0 for no limit.
        connections: client addresses and ports of all requests except those for ``/stats``.
        requests: number of these requests.
        line_free_at: time at which all bytes are sent at this rate (the event loop's clock).
    """

    low: float
    high: float
    latency: float
    video: bytes = VIDEO
    rate: float = 0.0
    jobs: dict[str, Job] = field(default_factory=dict)
    connections: set[tuple[str, int]] = field(default_factory=set)
    requests: int = 0
    line_free_at: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(6))

    async def create(self, request: Request) -> Job:
        await self._receive(request)
        job = Job(f"task-{len(self.jobs)}", time.time(), self.chance.uniform(self.low, self.high))
        self.jobs[job.id] = job
        return job

    async def poll(self, request: Request) -> Job:
        await self._receive(request)
        job = self.jobs[request.path_params["id"]]
        job.polls += 1
        return job

    async def _receive(self, request: Request) -> None:
        if request.method == "POST":
            await request.body()
        if self.latency:
            await asyncio.sleep(self.latency)

    async def send(self, first: int, last: int) -> AsyncIterator[bytes]:
        """Yield the bytes of the video from ``first`` to ``last``, at the limited rate."""
        clock = asyncio.get_running_loop().time
        for begin in range(first, last + 1, PIECE):
            piece = self.video[begin : min(begin + PIECE, last + 1)]
            if self.rate:
                self.line_free_at = max(self.line_free_at, clock() - SLACK) + len(piece) / self.rate
                await asyncio.sleep(self.line_free_at - clock())
            yield piece

    def counted(self, served: ASGIApp) -> ASGIApp:
        """Return the application with a counter of client requests around it."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] != "/stats":
                self.connections.add(tuple(scope["client"]))
                self.requests += 1
            await served(scope, receive, send)

        return serve


def app(service: Service, base: str) -> ASGIApp:
    """Return the application with the routes of every wire format."""

    def route(body: Callable[[Job], dict[str, Any]], method: str, path: str) -> Route:
        async def answer(request: Request) -> Response:
            job = await (service.create(request) if method == "POST" else service.poll(request))
            return JSONResponse(body(job))

        return Route(path, answer, methods=[method])

    async def video(request: Request) -> Response:
        size = len(service.video)
        first, last = _range(request.headers.get("range", ""), size)
        headers = {"Accept-Ranges": "bytes", "Content-Length": str(last + 1 - first), "ETag": '"one"'}
        status = 200 if last + 1 - first == size else 206
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return StreamingResponse(service.send(first, last), status, headers, media_type="video/mp4")

    async def result(_: Request) -> Response:
        return JSONResponse({"video": {"url": f"{base}/video.mp4"}})

    async def stats(_: Request) -> Response:
        jobs = [{"id": job.id, "ends": job.ends, "asked": job.polls} for job in service.jobs.values()]
        count = {"connections": len(service.connections), "requests": service.requests}
        return JSONResponse({"jobs": jobs, **count})

    def qingbo(job: Job) -> dict[str, Any]:
        done = job.share >= 1.0
        body = {
            "task_id": job.id,
            "model": "kling-v3",
            "action": "generate",
            "progress": int(100 * job.share),
        }
        body |= {"status": "completed" if done else "processing", "created_at": int(1000 * job.created)}
        if done:
            body["completed_at"] = int(1000 * job.ends)
            body["result"] = {"images": [], "videos": [{"url": f"{base}/video.mp4"}]}
        return body

    def replicate(job: Job) -> dict[str, Any]:
        done = job.share >= 1.0
        link = f"{base}/replicate/v1/predictions/{job.id}"
        body: dict[str, Any] = {
            "id": job.id,
            "model": "a/b",
            "version": "1",
            "input": {},
            "logs": "",
            "error": None,
        }
        body |= {"status": "succeeded" if done else "processing", "created_at": _iso(job.created)}
        body |= {"output": f"{base}/video.mp4" if done else None, "urls": {"get": link, "cancel": link}}
        return body

    def openai(job: Job) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": job.id,
            "object": "video",
            "model": "sora-2",
            "seconds": "4",
            "size": "1280x720",
        }
        body |= {"created_at": int(job.created), "progress": int(100 * job.share)}
        return body | {"status": "completed" if job.share >= 1.0 else "in_progress"}

    def runway(job: Job) -> dict[str, Any]:
        body: dict[str, Any] = {"id": job.id, "createdAt": _iso(job.created)}
        if job.share < 1.0:
            return body | {"status": "RUNNING", "progress": job.share, "estimatedCost": {"credits": 5}}
        return body | {"status": "SUCCEEDED", "output": [f"{base}/video.mp4"], "cost": {"credits": 5}}

    def fal(job: Job) -> dict[str, Any]:
        link = f"{base}/fal/requests/{job.id}"
        body: dict[str, Any] = {"request_id": job.id, "response_url": link, "cancel_url": f"{link}/cancel"}
        body |= {"status_url": f"{link}/status", "logs": None, "metrics": {}}
        return body | {"status": "COMPLETED" if job.share >= 1.0 else "IN_PROGRESS"}

    routes = Starlette(
        routes=[
            route(qingbo, "POST", "/v1/tasks"),
            route(qingbo, "GET", "/v1/tasks/{id}"),
            route(replicate, "POST", "/replicate/v1/predictions"),
            route(replicate, "GET", "/replicate/v1/predictions/{id}"),
            route(openai, "POST", "/openai/videos"),
            route(openai, "GET", "/openai/videos/{id}"),
            route(runway, "POST", "/runway/v1/text_to_video"),
            route(runway, "GET", "/runway/v1/tasks/{id}"),
            route(fal, "POST", "/fal/a/b"),
            route(fal, "GET", "/fal/requests/{id}/status"),
            Route("/fal/requests/{id}", result),
            Route("/video.mp4", video),
            Route("/stats", stats),
        ]
    )
    return service.counted(routes)


def _range(header: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a ``Range`` header; of the whole video if it is invalid."""
    first, _, last = header.removeprefix("bytes=").partition("-")
    begin, end = int(first) if first.isdecimal() else 0, int(last) if last.isdecimal() else size - 1
    return (begin, min(end, size - 1)) if begin < size and begin <= end else (0, size - 1)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


@contextmanager
def running(
    low: float, high: float, latency: float = 0.0, *, video: Path | None = None, rate: float = 0.0
) -> Iterator[str]:
    """Run a server without tasks in its own process while the context lasts.

    Args:
        low: seconds that the shortest task takes.
        high: seconds that the longest takes.
        latency: seconds before each response about a task.
        video: mp4 of every task; a placeholder of a kilobyte by default.
        rate: maximum video bytes per second, over all connections together; 0 for no limit.

    Yields:
        The address of the server.
    """
    command = [sys.executable, "-m", __name__, f"--low={low}", f"--high={high}", f"--latency={latency}"]
    command += [f"--rate={rate}", *([] if video is None else [f"--video={video}"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def stats(base: str) -> Any:
    """Return the counts of the server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{base}/stats", timeout=10) as answer:
        return json.load(answer)


def main() -> None:
    """Serve until the process is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--low", type=float, default=20.0)
    parser.add_argument("--high", type=float, default=28.0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--video", type=Path)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    print(base, flush=True)
    service = Service(options.low, options.high, options.latency, rate=options.rate)
    if options.video is not None:
        service.video = options.video.read_bytes()
    config = uvicorn.Config(
        app(service, base), log_level="critical", access_log=False, lifespan="off", timeout_keep_alive=75
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
