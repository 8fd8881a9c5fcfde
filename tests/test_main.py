"""The command line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from qingbo_widgets import Client, TaskNotFound
from qingbo_widgets.__main__ import main


def test_a_missing_extra_prints_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without nbclient the demo prints the command that installs it, instead of a traceback."""
    monkeypatch.delitem(sys.modules, "qingbo_widgets.demo", raising=False)
    monkeypatch.delattr("qingbo_widgets.demo", raising=False)
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert main(["demo", "--once"]) == 1
    assert 'pip install "qingbo_widgets[demo]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["sandbox", "--port", "eighty"], ["sandbox", "--contract", "2026-05"]]
)
def test_a_wrong_command_prints_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command prints the usage with all commands, and exits with status 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "sandbox" in capsys.readouterr().err


def test_a_port_in_use_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use gives a message that names the port, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 1
    assert f"port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends the signals of POSIX")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_the_sandbox_prints_its_address_and_leaves_no_files(workdir: Path, end: signal.Signals) -> None:
    """The printed lines suffice to connect; Ctrl-C, SIGTERM and SIGHUP end the sandbox."""
    before = signal.signal(
        end, signal.SIG_DFL
    )  # a test run under nohup or & would pass its ignored signals down
    try:
        server = subprocess.Popen(
            [
                sys.executable,
                "-u",
                "-m",
                "qingbo_widgets",
                "sandbox",
                "--port",
                "0",
                "--api-key",
                "sk-test",
                "--contract",
                "2026-11",
            ],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": str(workdir)},
        )
    finally:
        signal.signal(end, before)
    assert server.stdout is not None
    with server:
        variables = {}
        for line in server.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                variables[name] = value
            if len(variables) == 3:
                break
        assert variables["QINGBO_CONTRACT"] == "2026-11"
        client = Client(variables["QINGBO_API_KEY"], variables["QINGBO_BASE_URL"])
        with pytest.raises(TaskNotFound):
            client.status("task-unknown")
        client.close()
        server.send_signal(end)
        assert server.wait(timeout=20) == 0
    assert list(workdir.iterdir()) == []
