"""An interrupt at any line of submitting and connecting: no task is paid and unknown, no lock stays held."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.faults.server import FaultServer
from tests.faults.service import Service

ROOT = Path(__file__).parents[2]

#: What runs in a process of its own: interrupts at random moments, from a timer as precise as the system has.
SCRIPT = """
import random, signal, sys, time
import qingbo_widgets as qw

url, count, number = sys.argv[1], int(sys.argv[2]), getattr(signal, sys.argv[3])

class Stop(BaseException):
    pass

def stop(*_):
    raise Stop

signal.signal(number, stop)
alarm = signal.ITIMER_REAL
dice = random.Random(1)
if number != signal.SIGALRM:
    import os
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), number))

def connect():
    manager = qw.connect("some-key", base_url=url, library="videos")
    manager.poll_interval = 0.05
    return manager

manager, interrupted, returned = connect(), 0, []
# Everything once: a logger that is asked for its level for the first time takes a lock of the standard
# library, which an interrupt leaves locked before Python 3.13.
for prompt in ("first", "second"):
    connect().submit(prompt=prompt).wait(20)
    time.sleep(0.5)
for index in range(count):
    try:
        signal.setitimer(alarm, dice.uniform(0.00001, 0.0015))
        if index % 4 == 0:
            manager = connect()
        returned.append(qw.generate(f"koi {index}"))
        if index % 3 == 0:
            returned[-1].follow_again() if returned[-1].task_id else None
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pass
        raise Stop  # Python drops what is raised in the callback of a weak reference, and says so
    except Stop:
        interrupted += 1
    finally:
        signal.setitimer(alarm, 0)
assert interrupted == count, interrupted
for task in manager.tasks:
    task.wait(60)
known = {task.key for task in manager.tasks}
assert all(task.key in known for task in returned)
assert qw.generate("last").wait(20).video_path is not None
rows = {row.key for row in manager.library.entries()}
assert known <= rows, len(known - rows)
manager.close()
print(len(rows))
"""


def attack(folder: Path, count: int, name: str) -> None:
    """Run the script against a service that makes tasks; each task that it made must be in the journal."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        script = folder / "script.py"
        script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
        command = [sys.executable, str(script), f"{server.url}/v1", str(count), name]
        done = subprocess.run(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT), "LANGUAGE": "en"}, capture_output=True,
            text=True, timeout=500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert int(done.stdout.splitlines()[-1]) == len(service.tasks), "a task was paid and is not known"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends signals")
def test_interrupts_at_any_moment(tmp_path: Path) -> None:
    """Sixty of them: every task that the service made is known here, and ends."""
    attack(tmp_path, 60, "SIGINT")


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that sends signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGALRM", "SIGTERM"])
def test_hundreds_of_interrupts(tmp_path: Path, name: str) -> None:
    """As above, for longer, and with the time limits that some programs set."""
    attack(tmp_path, 600, name)
