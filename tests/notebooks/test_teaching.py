"""Solutions of the exercises in teaching.ipynb, which prove that a student can solve them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import requests
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from qingbo_widgets.demo import execute, notebooks_folder
from qingbo_widgets.library.library import Library
from tests.notebooks.outputs import html_of, printed_by, seconds_of, sped_up

BACKOFF = """
def poll(task_id):
    pause, polls, began = 0.1, 1, time.monotonic()
    while not (answer := client.status(task_id)).status.is_ended:
        polls += 1
        time.sleep(pause)
        pause = min(2 * pause, 2)
    assert polls < (time.monotonic() - began) / 0.25 + 2  # fewer than the loop of part 2
    return answer

assert poll(client.submit(request).task_id).status == "completed"
"""

RATE_LIMIT = """
server.faults = Faults(rate_limit_every=3)
rejected = 0

def with_retries(call, *arguments):
    global rejected
    while True:
        try:
            return call(*arguments)
        except qw.RateLimited as error:
            rejected += 1
            time.sleep(error.retry_after)

def poll(task_id):
    while not (answer := with_retries(client.status, task_id)).status.is_ended:
        time.sleep(0.5)
    return answer

assert poll(with_retries(client.submit, request).task_id).status == "completed"
assert rejected > 0
server.faults = Faults()
"""

FINAL_STATUSES = """
def hangs(task_id, seconds=2):
    deadline = time.monotonic() + seconds
    while client.status(task_id).status not in ("completed", "failed"):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False

def cancelled():
    while True:
        waiting = client.submit(request)
        try:
            client.cancel(waiting.task_id)
            return waiting
        except qw.BadRequest:  # the task has started, because this machine paused
            pass

waiting = cancelled()
assert poll(waiting.task_id).status == "cancelled"
assert hangs(waiting.task_id)
"""

CONCURRENT = """
prompts = ["a koi", "a crane", "a boat", "a storm", "a bridge"]
running = {client.submit(request.replace(prompt=prompt)).task_id for prompt in prompts}
while running:
    time.sleep(0.25)
    running = {task_id for task_id in running if not client.status(task_id).status.is_ended}
"""

SWEEP = """
sweep = await qw.sweep(prompt=prompts)
assert sweep.counts["finished"] == 5
"""

IDEMPOTENCY = """
server.faults = Faults(html_every=2)
known, doubtful = set(), []
for _ in range(10):
    try:
        known.add(client.submit(request).task_id)
    except qw.SubmissionUnconfirmed:
        pass
assert len(known) == 5  # but all ten are billed

import uuid

known = set()
for key in [uuid.uuid4().hex for _ in range(10)]:
    try:
        known.add(client.submit(request, idempotency_key=key).task_id)
    except qw.SubmissionUnconfirmed:
        doubtful.append(key)
server.faults = Faults()
again = {client.submit(request, idempotency_key=key).task_id for key in doubtful}
assert again == {client.submit(request, idempotency_key=key).task_id for key in doubtful}
assert len(known | again) == 10
print("every exercise is done")
"""


def lesson_cells() -> list[NotebookNode]:
    """Return the cells of the notebook."""
    cells: list[NotebookNode] = sped_up(
        nbformat.read(notebooks_folder() / "teaching.ipynb", as_version=4)
    ).cells
    return cells


@pytest.mark.slow
def test_the_exercises_can_be_done(workdir: Path) -> None:
    """Each of the first five exercises has a solution that runs with the definitions of the lesson."""
    lesson = [cell for cell in lesson_cells() if cell.cell_type == "code"]
    defining = ("server =", "request =", "manager = qw.connect(sandbox=server)")
    cells = [cell for cell in lesson if any(name in cell.source for name in defining)]
    assert len(cells) == len(defining)
    solutions = (BACKOFF, RATE_LIMIT, FINAL_STATUSES, CONCURRENT, SWEEP, IDEMPOTENCY)
    notebook = new_notebook(cells=[*cells, *map(new_code_cell, solutions)])
    execute(notebook, workdir)
    assert "every exercise is done" in printed_by(notebook)


@pytest.mark.slow
@pytest.mark.skipif(
    os.name != "posix", reason="elsewhere the sandbox process ends with the kernel, as the text says"
)
@pytest.mark.parametrize("end", ["restarted", "killed"])
def test_the_exercise_with_the_dying_kernel_can_be_done(end: str, workdir: Path, practice: Path) -> None:
    """The next kernel finishes the task; the sandbox outlives the first kernel and is stopped at the end."""
    cells = lesson_cells()
    begin, middle = (
        next(number for number, cell in enumerate(cells) if tag in cell.metadata.get("tags", ()))
        for tag in ("practice-begin", "new-kernel")
    )
    first, second = new_notebook(cells=cells[begin:middle]), new_notebook(cells=cells[middle:])
    first.cells.append(new_code_cell('Path("id.txt").write_text(task.task_id)'))
    if end == "killed":
        first.cells.append(new_code_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
        with pytest.raises(DeadKernelError):
            execute(first, workdir)
    else:
        execute(first, workdir)
    assert not list(workdir.glob("qingbo_videos/*.mp4"))
    address = json.loads(practice.read_text(encoding="utf-8"))

    execute(second, workdir)

    (entry,) = Library(workdir / "qingbo_videos").entries()
    assert entry.task_id == (workdir / "id.txt").read_text()
    (video,) = workdir.glob("qingbo_videos/*.mp4")
    assert seconds_of(video) >= 9.5
    assert f'src="./qingbo_videos/{video.name}"' in unquote(html_of(second))
    assert not practice.exists()
    wait_until_stopped(address["BASE_URL"], address["API_KEY"])


def wait_until_stopped(base_url: str, key: str, seconds: float = 20.0) -> None:
    """Wait until the sandbox with this key no longer answers; another may have taken its port."""
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {key}"}
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{base_url}/tasks/none", headers=headers, timeout=1)
        except requests.RequestException:
            return
        if answer.status_code == 401:
            return
        time.sleep(0.05)
    pytest.fail("the practice sandbox still listens")
