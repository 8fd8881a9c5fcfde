"""Tests of the sandbox's start and stop."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.sandbox.server import settings


def open_sockets() -> set[str]:
    """Return the sockets and files that this process has open, if the system provides them."""
    folder = Path("/proc/self/fd")
    names = set()
    for entry in folder.iterdir() if folder.exists() else ():
        try:
            names.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue  # the descriptor of the folder itself
    return {name for name in names if "socket" in name or "qingbo" in name}


def children() -> list[str]:
    """Return the child processes of this process."""
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return task.read_text(encoding="utf-8").split() if task.exists() else []


@pytest.mark.slow
def test_stop_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping during drawings and requests waits for neither and leaves nothing behind."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    threads, sockets, processes = set(threading.enumerate()), open_sockets(), children()
    sandbox = Sandbox(speed=100)
    with sandbox, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.api_key}"
        for _ in range(3):
            body = {"model": "kling-v3", "prompt": "x", "duration": 15, "callback_url": "http://127.0.0.1:9/"}
            assert session.post(f"{sandbox.base_url}/tasks", json=body, timeout=10).status_code == 200
        sandbox.faults = Faults(latency=60)
        waiting = threading.Thread(
            target=_expect_no_response, args=(f"{sandbox.base_url}/models", sandbox.api_key)
        )
        waiting.start()
        sandbox.stop()  # if stop waited for the response, the response would arrive
        waiting.join(5)
    assert set(threading.enumerate()) <= threads
    assert open_sockets() <= sockets
    assert set(children()) <= set(processes)
    assert list(tmp_path.iterdir()) == []


def _expect_no_response(url: str, key: str) -> None:
    # The connection is cut, or the server still manages to answer with an error.
    with suppress(requests.ConnectionError):
        assert requests.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=30).status_code == 500


def test_start_and_stop_can_be_repeated() -> None:
    """Repeated start and stop do nothing; a stopped sandbox can start again, and its repr shows its state."""
    sandbox = Sandbox()
    assert sandbox.start() is sandbox.start()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", sandbox.base_url)
    sandbox.stop()
    sandbox.stop()
    assert repr(sandbox) == "Sandbox(stopped)"
    with pytest.raises(RuntimeError, match=r"start\(\)"):
        _ = sandbox.base_url
    with sandbox:
        assert requests.get(f"{sandbox.base_url}/models", timeout=10).status_code == 401


def test_a_taken_port_is_a_clear_error() -> None:
    """A taken port raises an error that names the port and the next step."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken"):
            Sandbox(port).start()


def test_the_sandbox_listens_on_this_machine_only() -> None:
    """The socket is bound to 127.0.0.1 and to no other address."""
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.base_url).port
        sockets = psutil.Process().net_connections("inet")
        assert {s.laddr.ip for s in sockets if s.laddr.port == port and not s.raddr} == {"127.0.0.1"}


def test_the_key_is_unique_and_hidden() -> None:
    """Each sandbox generates its own key unless one is passed, and its repr shows none."""
    with Sandbox() as first, Sandbox(api_key="mine") as second:
        assert first.api_key != Sandbox().api_key
        assert second.api_key == "mine"
        assert first.api_key not in repr(first)
        assert "mine" not in repr(second)


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_an_invalid_speed_is_rejected(speed: float) -> None:
    """An invalid speed raises an error at once."""
    with pytest.raises(ValueError, match="speed"):
        Sandbox(speed=speed)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to a process here")
def test_serve_prints_its_url_and_stops_at_ctrl_c() -> None:
    """The command prints two export lines, accepts that key, and ends without a traceback."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's & ignores it
        "from qingbo_widgets.sandbox.server import serve; serve(0, 10)"
    )
    # Warnings of libraries are ignored: the test is about a traceback at the end.
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as command:
        assert command.stdout is not None
        url = key = ""
        while not key:
            line = command.stdout.readline()
            assert line, "the command ended before it printed both lines"
            url = url or line.strip().removeprefix("export QINGBO_BASE_URL=") * line.startswith(
                "export QINGBO_BASE"
            )
            key = line.strip().removeprefix("export QINGBO_API_KEY=") * line.startswith("export QINGBO_API")
        answer = requests.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"}, timeout=10)
        command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=20)
    assert answer.status_code == 200
    assert command.returncode == 0
    assert errors == ""
    assert "stopped" in output


def test_windows_shells_get_their_own_commands() -> None:
    """The commands for Windows contain no ``export``, and are ASCII for any console."""
    lines = settings({"QINGBO_BASE_URL": "http://127.0.0.1:1/v1", "QINGBO_API_KEY": "k"}, "nt")
    assert '$env:QINGBO_API_KEY = "k"' in lines.splitlines()
    assert "set QINGBO_BASE_URL=http://127.0.0.1:1/v1" in lines.splitlines()
    assert "export" not in lines
    assert lines.isascii()


@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.EACCES])
def test_a_port_that_is_not_available(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A taken or reserved port (Windows reserves ranges) raises an error that suggests another port."""

    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        raise OSError(number, "an error of the system")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(OSError, match=r"port 8765 on 127\.0\.0\.1 is .* choose another port") as caught:
        Sandbox(8765).start()
    assert caught.value.errno == number


def test_a_missing_extra_is_named() -> None:
    """Without the sandbox's dependencies, importing it raises an error that names the extra to install."""
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "try:\n    from qingbo_widgets.sandbox import Sandbox\n"
        "except ImportError as error:\n    print(error)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert 'pip install "qingbo_widgets[sandbox]"' in output
