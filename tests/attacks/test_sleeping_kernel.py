"""An attack by a suspended kernel: it does not submit a task that another kernel has submitted meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qingbo_widgets import Client, Library, TaskManager
from tests.faults.server import FaultServer, answer, close
from tests.faults.service import Service
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows cannot suspend a process"),
]

KERNEL = """
import sys
import qingbo_widgets as qw

client = qw.Client("sk-sleep-0123456789", sys.argv[1])
manager = qw.TaskManager(client, qw.Library(sys.argv[2]), poll_interval=0.05, hold_seconds=1.0)
task = manager.submit(prompt="koi")
try:
    task.wait(40)
except qw.QingboError:
    pass
print(task.status, flush=True)
"""


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["confirmed", "unconfirmed"])
def test_one_submission_is_paid_for(tmp_path: Path, is_confirmed: bool) -> None:
    """A task that the user submits in another kernel, while its own is suspended, is paid for once."""
    service = Service()
    service.is_idempotent = False
    slow_down = {"error": {"message": "slow down", "code": "rate_limit"}}
    service.faults["submit"] = [answer(slow_down, 429, Retry_After="3")]
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        folder = tmp_path / "videos"
        command = [sys.executable, "-c", KERNEL, f"{server.url}/v1", str(folder)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        client = Client("sk-sleep-0123456789", f"{server.url}/v1")
        manager = TaskManager(client, Library(folder), poll_interval=0.05, hold_seconds=1.0)
        with manager, subprocess.Popen(command, text=True, **pipes) as sleeper:  # type: ignore[call-overload]
            try:
                until(lambda: server.requests and not service.faults["submit"])
                sleeper.send_signal(signal.SIGSTOP)
                (task,) = manager.recover()
                until(lambda: task.is_done)
                assert task.status == "unconfirmed"
                if not is_confirmed:
                    service.faults["submit"] = [service.create_then(close)]
                task.submit_again()
                until(lambda: task.is_done)
                until(lambda: manager.library.current_hold(task.key) is None)
                sleeper.send_signal(signal.SIGCONT)
                assert sleeper.communicate(timeout=60)[0].split()[-1] == task.status
            finally:
                sleeper.kill()
        assert service.prompts == ["koi"], "the task was paid for twice"
