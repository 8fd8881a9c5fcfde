"""Attacks by processes that are forked while connections are open, by ``multiprocessing`` or ``os.fork``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.faults.server import Exchange, FaultServer, answer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")

#: The beginning of each script. The parent waits for a child only in ``result``, so children run in parallel.
BEGIN = """
import json, os, sys
import qingbo_widgets as qw
from qingbo_widgets.service.http.transport import Transport
from qingbo_widgets.service.secrets.secret import Secret

url = sys.argv[1]
client = qw.Client("sk-test-123456", url + "/v1", timeout=(20, 20))

def fork(act):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            outcome = act()
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        os.write(writer, json.dumps(outcome).encode())
        os._exit(0)
    os.close(writer)
    return child, reader

def result(child, reader):
    with open(reader, "rb") as pipe:
        outcome = json.loads(pipe.read())
    os.waitpid(child, 0)
    return outcome

"""


def run(script: str, url: str) -> Any:
    """Run a script in a process with a single thread; return its output, parsed as JSON."""
    command = [sys.executable, "-c", BEGIN + script, url]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def own_task(exchange: Exchange) -> bool:
    """Answer with the requested task, or with the task of this idempotency key."""
    request = exchange.request
    task_id = request.headers.get("idempotency-key") or request.path.rpartition("/")[2]
    return answer({"task_id": task_id})(exchange)


@pytest.mark.slow
def test_each_child_gets_its_own_task() -> None:
    """Four processes that submit and poll at once get their own tasks, and share no connection."""
    script = """
client.status("before")
def submit_and_poll(name):
    names, request = [f"{name}-{n}" for n in range(9)], qw.VideoRequest(prompt="x")
    submitted = [client.submit(request, idempotency_key=name).task_id for name in names]
    return submitted + [client.status(name).task_id for name in names]
children = {f"child-{n}": fork(lambda: submit_and_poll(f"child-{n}")) for n in range(3)}
outcomes = {"parent": submit_and_poll("parent")}
print(json.dumps(outcomes | {name: result(*child) for name, child in children.items()}))
"""
    with FaultServer(otherwise=own_task) as server:
        outcomes = run(script, server.url)
        owners: dict[int, set[str]] = {}
        for request in server.requests:
            name = request.headers.get("idempotency-key") or request.path.rpartition("/")[2]
            owners.setdefault(request.connection, set()).add(name.rpartition("-")[0])
    assert outcomes == {
        name: [f"{name}-{n}" for n in range(9)] * 2 for name in ("parent", "child-0", "child-1", "child-2")
    }
    shared = {number: names for number, names in owners.items() if len(names - {""}) > 1}
    assert not shared, f"several processes wrote to these connections: {shared}"


@pytest.mark.slow
def test_a_child_that_closes_leaves_the_parent_its_connection() -> None:
    """The parent's connection stays open when a child closes the client, and when the child ends."""
    script = """
client.status("a")
result(*fork(client.close))
result(*fork(lambda: (client.status("b"), client.close())[1]))
client.status("c")
print("[]")
"""
    with FaultServer(otherwise=own_task) as server:
        run(script, server.url)
    by_path = {request.path.rpartition("/")[2]: request.connection for request in server.requests}
    assert by_path["a"] == by_path["c"] != by_path["b"]


@pytest.mark.slow
def test_a_child_takes_nothing_of_a_running_download() -> None:
    """After a fork during a download, the child gets an error, and the parent gets every byte."""
    script = """
transport = Transport(Secret("sk-test-123456"), url + "/v1", (20, 20))
with transport.stream(url + "/v.mp4", {}) as stream:
    chunks = stream.chunks()
    received = next(chunks)
    child = fork(lambda: str(next(chunks)))
    outcome = result(*child)
    received += b"".join(chunks)
print(json.dumps([outcome, len(received)]))
"""
    size = 3_000_000
    with FaultServer(answer(b"v" * size)) as server:
        outcome, received = run(script, server.url)
    assert outcome.startswith("ConnectionFailed"), outcome
    assert received == size
