"""Processes forked from one with open connections: by ``multiprocessing``, or by ``os.fork`` in a cell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.faults.server import Exchange, FaultServer, answer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")

#: Each child waits for a turn of its own before it ends, so that all of them speak at the same time.
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
            said = act()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, json.dumps(said).encode())
        os._exit(0)
    os.close(writer)
    return child, reader

def result(child, reader):
    with open(reader, "rb") as pipe:
        said = json.loads(pipe.read())
    os.waitpid(child, 0)
    return said

"""


def run(script: str, url: str) -> Any:
    """Run a script in a process with a single thread; return what it prints as JSON."""
    command = [sys.executable, "-c", BEGIN + script, url]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def own_task(exchange: Exchange) -> bool:
    """Answer with the task that was asked for, or that this key makes."""
    request = exchange.request
    task_id = request.headers.get("idempotency-key") or request.path.rpartition("/")[2]
    return answer({"task_id": task_id})(exchange)


@pytest.mark.slow
def test_each_child_gets_its_own_task() -> None:
    """Submissions and polls of four processes, all at once, on connections that none of them shares."""
    script = """
client.status("before")
def ask(name):
    names, request = [f"{name}-{n}" for n in range(9)], qw.VideoRequest(prompt="x")
    made = [client.submit(request, idempotency_key=name).task_id for name in names]
    return made + [client.status(name).task_id for name in names]
children = {f"child-{n}": fork(lambda: ask(f"child-{n}")) for n in range(3)}
said = {"parent": ask("parent")}
print(json.dumps(said | {name: result(*child) for name, child in children.items()}))
"""
    with FaultServer(otherwise=own_task) as server:
        said = run(script, server.url)
        owners: dict[int, set[str]] = {}
        for request in server.requests:
            name = request.headers.get("idempotency-key") or request.path.rpartition("/")[2]
            owners.setdefault(request.connection, set()).add(name.rpartition("-")[0])
    assert said == {
        name: [f"{name}-{n}" for n in range(9)] * 2 for name in ("parent", "child-0", "child-1", "child-2")
    }
    shared = {number: names for number, names in owners.items() if len(names - {""}) > 1}
    assert not shared, f"these connections were written on by several processes: {shared}"


@pytest.mark.slow
def test_a_child_that_closes_leaves_the_parent_its_connection() -> None:
    """Closing a client in a child, and the end of the child, cut nothing of the parent's."""
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
    """A fork in the middle of a download: the child is refused, and the parent gets every byte."""
    script = """
transport = Transport(Secret("sk-test-123456"), url + "/v1", (20, 20))
with transport.stream(url + "/v.mp4", {}) as stream:
    chunks = stream.chunks()
    got = next(chunks)
    child = fork(lambda: str(next(chunks)))
    said = result(*child)
    got += b"".join(chunks)
print(json.dumps([said, len(got)]))
"""
    size = 3_000_000
    with FaultServer(answer(b"v" * size)) as server:
        said, received = run(script, server.url)
    assert said.startswith("ConnectionFailed"), said
    assert received == size
