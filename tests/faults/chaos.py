"""The kernel process of ``test_chaos.py``: it works on the library's tasks until it is killed.

It also simulates the user, who submits the missing tasks, presses *Check* or *Submit again* on an unconfirmed
task, and *Save again* on a video that could not be saved.

Run it with ``python -m tests.faults.chaos FOLDER URL COUNT SEED [BUDGET]`` and the key in the environment.
With a budget in US dollars, it speaks contract 2026-11 and submits as many tasks as the budget pays for.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import urllib.request
from typing import Any

from qingbo_widgets import BudgetExceeded, Client, Library, QingboError, Task, TaskManager, TaskStatus

__all__ = ["PROMPT", "run_kernel"]

PROMPT = "一只纸船 {:02}"


def run_kernel(folder: str, url: str, count: int, seed: str, budget: str = "") -> None:
    """Run the kernel until every task has its video, and the budget, if there is one, pays for no other."""
    print("awake", flush=True)  # the test waits for it
    rng = random.Random(seed)
    contract = "2026-11" if budget else "2026-04"
    client = Client(base_url=f"{url}/v1", timeout=(2.0, 2.0), contract=contract)
    settings: dict[str, Any] = {"poll_interval": 0.1, "submit_patience": 1.0, "hold_seconds": 1.0}
    with TaskManager(client, Library(folder), **settings) as manager:
        manager.recover()
        if budget:
            manager.library.budget = budget
        submitted = {entry.prompt for entry in manager.library.entries()}
        missing = [prompt for prompt in map(PROMPT.format, range(count)) if prompt not in submitted]
        while not _submit(manager, missing) or any(task.video_path is None for task in manager.tasks):
            for task in manager.tasks:
                if task.is_done and task.video_path is None:
                    _act_as_user(task, rng, url)
            threading.Event().wait(0.05)
        print("finished", flush=True)


def _submit(manager: TaskManager, prompts: list[str]) -> bool:
    """Submit these prompts and remove them from the list; return whether the budget pays for no other.

    A price that is not known, because its request failed, is asked for again in the next round.
    """
    while prompts:
        try:
            manager.submit(prompt=prompts[0], duration=3)
        except BudgetExceeded as error:
            return error.price is not None
        del prompts[0]
    return True


def _act_as_user(task: Task, rng: random.Random, url: str) -> None:
    """Act as the user does on a task that does not continue by itself."""
    try:
        if task.task_id:
            task.retry_download()
        elif task.status == TaskStatus.unconfirmed and rng.random() < 0.5:
            task.check(_dashboard_id(url, task))
        else:
            task.submit_again()
    except QingboError:
        return  # the request failed: the next round tries again


def _dashboard_id(url: str, task: Task) -> str:
    """Return the id that the dashboard shows for the prompt of a task; empty if there is none."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/dashboard") as answer:
        ids: dict[str, str] = json.load(answer)
    assert task.request is not None
    return ids.get(task.request.prompt, "")


if __name__ == "__main__":
    run_kernel(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
