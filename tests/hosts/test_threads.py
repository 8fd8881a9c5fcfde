"""A Python in which no thread can be started: nothing is sent, the error says why, and all goes on later."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import dedent

from tests.hosts.environments import python_of, variables_of

#: A stack that no machine has: the system refuses every thread, as where the limit of a container is reached.
SCARCE = """
import sys, threading, time
from pathlib import Path
import qingbo_widgets as qw

def scarce(is_scarce):
    threading.stack_size(1 << 45 if is_scarce else 0)

def error_of(call):
    try:
        call()
    except qw.QingboError as error:
        return str(error)
    raise AssertionError("no QingboError")

LIMIT = "cannot start another thread"
"""
#: Runs before each case: another library, and another sandbox without tasks.
BEFORE = """
print("the case:", {case!r}, file=sys.stderr)
sandbox = qw.Sandbox(speed=100, draft=True)
connect = lambda: qw.connect(sandbox=sandbox, library="videos of {case}")
"""
#: Runs after each case: all goes on.
AFTER = """
assert qw.generate("another koi").wait(60).video_path.exists()
manager.close()
"""
CASES = {
    "the sandbox": """
        scarce(True)
        assert LIMIT in error_of(lambda: connect())
        scarce(False)
        manager = connect()
        """,
    "the thread of all tasks": """
        manager = connect()
        scarce(True)
        assert LIMIT in error_of(lambda: qw.generate("a koi"))
        assert LIMIT in error_of(lambda: qw.sweep(prompt=["a koi", "a carp"]))
        assert sandbox._running.backend.tasks == {}, "something was sent that nothing follows"
        assert manager.tasks == (), "a task that was never sent is listed"
        scarce(False)
        """,
    "the thread of the journal": """
        manager = connect()
        manager.monitor.warm_up()
        scarce(True)
        task = qw.generate("a koi")
        assert LIMIT in error_of(lambda: task.wait(60))
        assert (task.status, task.is_done) == ("failed", True), f"a task stays at {task!r}"
        assert sandbox._running.backend.tasks == {}, "something was sent that no row records"
        scarce(False)
        task.submit_again()
        assert task.wait(60).video_path.exists()
        """,
    "the threads of downloads and callbacks": """
        ended = []
        manager = connect()
        task = qw.generate("a koi")
        task.on_end(ended.append)
        while not task.task_id:
            time.sleep(0.01)
        scarce(True)
        assert LIMIT in error_of(lambda: task.wait(60))
        assert task.status == "completed", f"the video exists at the service, but the task says {task!r}"
        assert ended == []
        scarce(False)
        task.retry_download()
        assert task.wait(60).video_path.exists()
        began = time.monotonic()
        while ended != [task] and time.monotonic() - began < 30:
            time.sleep(0.05)
        assert ended == [task], "the callback was lost"
        """,
    "the thread of views": """
        from qingbo_widgets.widgets.base.sync import refresher
        manager = connect()
        studio = qw.VideoStudio(prompt="a koi")
        while refresher.is_running:
            time.sleep(0.05)
        scarce(True)
        assert qw.TaskCard(qw.Task(manager, qw.VideoRequest(prompt="a koi")))
        studio.generate_button.click()
        assert LIMIT in studio._problem if not studio.cards else LIMIT in error_of(studio.cards[0].task.wait)
        scarce(False)
        time.sleep(2.1)  # the second of a double click would be ignored
        studio.generate_button.click()
        assert refresher.is_running, "clocks and bars stand still for ever"
        assert studio.cards[0].task.wait(60).video_path.exists()
        """,
}


def test_nothing_is_lost_where_no_thread_can_be_started(tmp_path: Path) -> None:
    """Without a thread nothing is sent; with one, the same manager works, and the exit is silent."""
    cases = [BEFORE.format(case=case) + dedent(body) + AFTER for case, body in CASES.items()]
    done = subprocess.run(
        [str(python_of()), "-c", "".join((SCARCE, *cases))],
        cwd=tmp_path,
        env=variables_of(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, f"the user would see at the exit: {done.stderr[-3000:]}"
