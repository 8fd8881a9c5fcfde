"""Attacks by a gateway that frames thousands of answers wrongly, on connections that it keeps open.

Even if an answer is cut, doubled, preceded or followed by another, a submission gets its own id or is
unconfirmed, and a status belongs to the latest request.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from qingbo_widgets.exceptions import QingboError, SubmissionUnconfirmed
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from tests.faults.server import Exchange, FaultServer, reset


def whole(body: bytes, *lines: str, status: int = 200) -> bytes:
    """Return an answer with these header lines, by default the right ``Content-Length``."""
    named = lines or (f"Content-Length: {len(body)}",)
    return "\r\n".join((f"HTTP/1.1 {status} Scripted", *named, "", "")).encode() + body


def chunked(body: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return an answer in two chunks."""
    half = len(body) // 2
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]))
    return whole(pieces + end, "Transfer-Encoding: chunked")


def interim(status: int) -> bytes:
    """Return an interim answer."""
    return b"HTTP/1.1 %d Wait\r\nLink: </v.css>; rel=preload\r\n\r\n" % status


def length(number: object) -> str:
    """Return the header line ``Content-Length``."""
    return f"Content-Length: {number}"


class Gateway:
    """The step of a ``FaultServer`` that answers every request, most of them with wrong framing.

    Attributes:
        faults: the number of occurrences of each fault.
    """

    def __init__(self, seed: int) -> None:
        self.faults: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._serial = 0
        self._last = b"{}"

    def __call__(self, exchange: Exchange) -> bool:
        request = exchange.request
        self._serial += 1
        task = request.headers.get("idempotency-key") or request.path.rpartition("/")[2]
        body = json.dumps({"task_id": task, "status": "processing", "cost": self._serial}).encode()
        answers = dict(self._faults(body, self._last))
        self._last = body
        fault = self._random.choice(list(answers))
        self.faults[fault] += 1
        *pieces, end = answers[fault]
        for piece in pieces:
            exchange.socket.sendall(piece)
        if end == "late":  # after the answer, when the client may have continued already
            exchange.stopped.wait(0.002)
            exchange.socket.sendall(whole(answers["good"][0].partition(b"\r\n\r\n")[2]))
        return reset(exchange) if end == "reset" else end != "close"

    def _faults(self, body: bytes, other: bytes) -> Iterator[tuple[str, tuple[Any, ...]]]:
        good = whole(body)
        waits = b"".join(
            interim(self._random.choice((100, 102, 103))) for _ in range(self._random.randint(1, 4))
        )
        yield "good", (good, "keep")
        yield "interim", (waits, good, "keep")
        yield "switching protocols", (interim(101), good, "keep")
        yield "interim without end", (interim(102) * 40, good, "keep")
        yield "an earlier answer after it", (good + whole(other), "keep")
        yield "an earlier answer, later", (good, "late")
        yield "cut", (good[: self._random.randrange(len(good))], "close")
        yield "reset", (good[: self._random.randrange(len(good))], "reset")
        yield "shorter than announced", (whole(body, length(len(body) + 9)), "close")
        yield "longer than announced", (whole(body + other, length(len(body))), "keep")
        yield "cut by its length", (whole(body, length(len(body) - 3)), "keep")
        yield "two lengths", (whole(body + good, length(len(body)), length(len(body + good))), "keep")
        yield "length and chunks", (chunked(body).replace(b"\r\n", b"\r\nContent-Length: 5\r\n", 1), "keep")
        yield "a length that is none", (whole(body, "Content-Length: 1_0"), "close")
        yield "chunks", (chunked(body), "keep")
        yield "chunks without end", (chunked(body, b""), "close")
        yield "chunks with a wrong end", (chunked(body, b"zz\r\n" + good), "close")
        yield "another coding", (whole(body, "Transfer-Encoding: identity"), "close")
        yield "a line that is no header", (whole(body, "nonsense", length(len(body))), "close")
        yield "garbage", (b"\0\1garbage\r\n" + good, "keep")
        yield "nothing", (whole(b"", status=204) + good, "keep")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_request_gets_the_answer_of_another(seed: int) -> None:
    """None of 500 submissions and 1000 status requests gets the answer of another request."""
    gateway, wrong, outcomes = Gateway(seed), [], Counter[str]()
    with (
        FaultServer(otherwise=gateway) as server,
        Client("sk-test-123456", server.url + "/v1", timeout=(20, 20)) as client,
    ):
        for number in range(1500):
            key, seen = f"task-{number}", len(server.requests)
            try:
                if number % 3:
                    snapshot = client.status(key)
                else:
                    snapshot = client.submit(VideoRequest(prompt="x"), idempotency_key=key)
            except QingboError as error:
                outcomes[type(error).__name__] += 1
                if number % 3 == 0 and not isinstance(error, SubmissionUnconfirmed):
                    wrong.append(f"{key}: the task was created, and submit() raised {error!r}")
            else:
                outcomes["answered"] += 1
                if snapshot.task_id != key or snapshot.cost not in range(seen + 1, len(server.requests) + 1):
                    wrong.append(f"{key} got {snapshot.raw}")
    assert wrong == []
    assert len(gateway.faults) == 21, "some faults did not occur"
    assert outcomes["answered"] > 400, f"complete answers were rejected, too: {outcomes}"


def test_a_connection_serves_many_polls_and_one_submission() -> None:
    """Every submission opens a new connection, and the polls after it use the same one."""
    with (
        FaultServer(otherwise=_own_answer) as server,
        Client("sk-test-123456", server.url + "/v1") as client,
    ):
        for number in range(3):
            client.submit(VideoRequest(prompt="x"), idempotency_key=f"task-{number}")
            for _ in range(5):
                client.status(f"task-{number}")
    assert [request.connection for request in server.requests] == [1] * 6 + [2] * 6 + [3] * 6


def _own_answer(exchange: Exchange) -> bool:
    task = exchange.request.headers.get("idempotency-key") or exchange.request.path.rpartition("/")[2]
    exchange.socket.sendall(whole(json.dumps({"task_id": task}).encode()))
    return True
