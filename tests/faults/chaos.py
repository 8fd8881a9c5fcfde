"""A kernel in a bad world, for ``test_chaos.py``: it goes on with the library's tasks until it is killed.

Beside the package's own doings it plays the person, who submits what is not there yet, presses *Check* or
*Submit again* on a task that is unconfirmed, and *Save again* on a video that could not be saved.

``python -m tests.faults.chaos FOLDER URL COUNT SEED`` with the key in the environment.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import urllib.request
from typing import Any

from qingbo_widgets import Client, Library, QingboError, Task, TaskManager, TaskStatus

__all__ = ["PROMPT", "live"]

PROMPT = "一只纸船 {:02}"


def live(folder: str, url: str, count: int, seed: str) -> None:
    """Until every task has its video."""
    print("awake", flush=True)  # the test waits for it
    dice = random.Random(seed)
    client = Client(base_url=f"{url}/v1", timeout=(2.0, 2.0))
    settings: dict[str, Any] = {"poll_interval": 0.1, "submit_patience": 1.0, "hold_seconds": 1.0}
    with TaskManager(client, Library(folder), **settings) as manager:
        manager.recover()
        known = {entry.prompt for entry in manager.library.entries()}
        for number in range(count):
            if PROMPT.format(number) not in known:
                manager.submit(prompt=PROMPT.format(number), duration=3)
        while any(task.video_path is None for task in manager.tasks):
            for task in manager.tasks:
                if task.is_done and task.video_path is None:
                    _press(task, dice, url)
            threading.Event().wait(0.05)
        print("finished", flush=True)


def _press(task: Task, dice: random.Random, url: str) -> None:
    """What a person does about a task on which nothing goes on by itself."""
    try:
        if task.task_id:
            task.retry_download()
        elif task.status == TaskStatus.unconfirmed and dice.random() < 0.5:
            task.check(_in_dashboard(url, task))
        else:
            task.submit_again()
    except QingboError:
        return  # the service could not be asked just now: again, later


def _in_dashboard(url: str, task: Task) -> str:
    """The id that the dashboard shows for the prompt of a task; empty where there is none."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/dashboard") as answer:
        ids: dict[str, str] = json.load(answer)
    assert task.request is not None
    return ids.get(task.request.prompt, "")


if __name__ == "__main__":
    live(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
