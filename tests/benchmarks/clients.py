"""Each client as its documentation uses it, in a process of its own.

``python -m tests.benchmarks.clients NAME ADDRESS COUNT`` makes so many tasks at once and waits for all.
Libraries that wait for one task at a time get a thread a task, as in their own examples.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["CLIENTS"]

#: Makes and awaits one task; returns its id.
Once = Callable[[], str]


def naive(base: str) -> Once:
    """The loop that the service's documentation suggests: every 2 s, ``requests.get``."""
    import requests

    def once() -> str:
        headers = {"Authorization": "Bearer key"}
        body = {"model": "kling-v3", "prompt": "雨"}
        made = requests.post(f"{base}/v1/tasks", json=body, headers=headers, timeout=30).json()
        while True:
            time.sleep(2)
            url = f"{base}/v1/tasks/{made['task_id']}"
            if requests.get(url, headers=headers, timeout=30).json()["status"] == "completed":
                return str(made["task_id"])

    return once


def replicate(base: str) -> Once:
    """``predictions.create`` and ``wait``."""
    import replicate

    client = replicate.Client(api_token="key", base_url=f"{base}/replicate")

    def once() -> str:
        prediction = client.predictions.create(version="1", input={"prompt": "雨"})
        prediction.wait()
        return str(prediction.id)

    return once


def openai(base: str) -> Once:
    """``videos.create_and_poll``."""
    import openai

    client = openai.OpenAI(api_key="key", base_url=f"{base}/openai")
    return lambda: str(client.videos.create_and_poll(model="sora-2", prompt="雨").id)


def runwayml(base: str) -> Once:
    """``text_to_video.create`` and ``wait_for_task_output``."""
    import runwayml

    client = runwayml.RunwayML(api_key="key", base_url=f"{base}/runway")
    fields: Any = {"model": "veo3.1", "prompt_text": "雨", "ratio": "1280:720", "duration": 4}
    return lambda: str(client.text_to_video.create(**fields).wait_for_task_output().id)


def fal_client(base: str) -> Once:
    """``submit`` and ``get``, as ``subscribe`` does."""
    import fal_client.client as fal

    fal.QUEUE_URL_FORMAT = f"{base}/fal/"  # the one way to another host would insist on https
    client = fal.SyncClient(key="key")

    def once() -> str:
        handle = client.submit("a/b", {"prompt": "雨"})
        handle.get()
        return str(handle.request_id)

    return once


def in_threads(once: Once, count: int, known: dict[str, float]) -> None:
    """Run it so many times at once, each in a thread."""

    def run() -> None:
        task = once()
        known[task] = time.time()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ours(base: str, count: int, known: dict[str, float], **settings: Any) -> None:
    """``TaskManager.submit``, and each task's status observed; keeps its journal and saves the videos too."""
    from qingbo_widgets import Client, Library, TaskManager, TaskStatus

    def changed(change: Any) -> None:
        if change["new"] == TaskStatus.completed:
            known[change["owner"].task_id] = time.time()

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder), **settings) as manager,
    ):
        made = []
        for _ in range(count):
            task = manager.submit(model="kling-v3", prompt="雨")
            task.observe(changed, "status")
            made.append(task)
        for task in made:
            while not task.is_done:
                time.sleep(0.1)


CLIENTS: dict[str, Callable[[str], Once] | None] = {
    "qingbo_widgets": None,
    "qingbo_widgets, poll_interval 0.5 s": None,
    "requests loop, 2 s": naive,
    "replicate": replicate,
    "openai": openai,
    "runwayml": runwayml,
    "fal-client": fal_client,
}


def main() -> None:
    """Print what the run cost, as JSON."""
    name, base, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    known: dict[str, float] = {}
    most = [0]
    make = CLIENTS[name]
    if make is None:  # imports are measured on their own, so they are done before the clock starts
        from qingbo_widgets import Client, Library, TaskManager  # noqa: F401
    once = None if make is None else make(base)

    def watch() -> None:
        while True:
            most[0] = max(most[0], len(list(Path("/proc/self/task").iterdir())) - 1)
            time.sleep(0.25)

    if sys.platform == "linux":
        threading.Thread(target=watch, daemon=True).start()
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    if once is not None:
        in_threads(once, count, known)
    elif name.endswith("0.5 s"):
        ours(base, count, known, poll_interval=0.5)
    else:
        ours(base, count, known)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1024 if sys.platform == "darwin" else 1  # ru_maxrss: bytes there, KiB elsewhere
    cost = {"cpu": usage.ru_utime + usage.ru_stime - before, "memory": usage.ru_maxrss / unit / 1024}
    print(json.dumps({"known": known, "threads": most[0], **cost}))


if __name__ == "__main__":
    main()
