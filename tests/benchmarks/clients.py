"""Each client used as in its documentation, in its own process.

``python -m tests.benchmarks.clients NAME ADDRESS COUNT`` submits COUNT tasks at once and waits for all.
Libraries that wait for one task at a time get one thread per task, as in their own examples.
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

#: Submits one task, waits for it and returns its id.
RunTask = Callable[[], str]


def naive(base: str) -> RunTask:
    """Return the loop of the service's documentation: ``requests.get`` every 2 s."""
    import requests

    def run_task() -> str:
        headers = {"Authorization": "Bearer key"}
        body = {"model": "kling-v3", "prompt": "雨"}
        task = requests.post(f"{base}/v1/tasks", json=body, headers=headers, timeout=30).json()
        while True:
            time.sleep(2)
            url = f"{base}/v1/tasks/{task['task_id']}"
            if requests.get(url, headers=headers, timeout=30).json()["status"] == "completed":
                return str(task["task_id"])

    return run_task


def replicate(base: str) -> RunTask:
    """Use ``predictions.create`` and ``wait``."""
    import replicate

    client = replicate.Client(api_token="key", base_url=f"{base}/replicate")

    def run_task() -> str:
        prediction = client.predictions.create(version="1", input={"prompt": "雨"})
        prediction.wait()
        return str(prediction.id)

    return run_task


def openai(base: str) -> RunTask:
    """Use ``videos.create_and_poll``."""
    import openai

    client = openai.OpenAI(api_key="key", base_url=f"{base}/openai")
    return lambda: str(client.videos.create_and_poll(model="sora-2", prompt="雨").id)


def runwayml(base: str) -> RunTask:
    """Use ``text_to_video.create`` and ``wait_for_task_output``."""
    import runwayml

    client = runwayml.RunwayML(api_key="key", base_url=f"{base}/runway")
    fields: Any = {"model": "veo3.1", "prompt_text": "雨", "ratio": "1280:720", "duration": 4}
    return lambda: str(client.text_to_video.create(**fields).wait_for_task_output().id)


def fal_client(base: str) -> RunTask:
    """Use ``submit`` and ``get``, like ``subscribe``."""
    import fal_client.client as fal

    fal.QUEUE_URL_FORMAT = f"{base}/fal/"  # the official setting for another host requires https
    client = fal.SyncClient(key="key")

    def run_task() -> str:
        handle = client.submit("a/b", {"prompt": "雨"})
        handle.get()
        return str(handle.request_id)

    return run_task


def in_threads(run_task: RunTask, count: int, completed_at: dict[str, float]) -> None:
    """Run ``count`` tasks at once, each in its own thread."""

    def run() -> None:
        task = run_task()
        completed_at[task] = time.time()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ours(base: str, count: int, completed_at: dict[str, float], **settings: Any) -> None:
    """Call ``TaskManager.submit`` and observe each status; also write the journal and save the videos."""
    from qingbo_widgets import Client, Library, TaskManager, TaskStatus

    def on_status(change: Any) -> None:
        if change["new"] == TaskStatus.completed:
            completed_at[change["owner"].task_id] = time.time()

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        TaskManager(Client("key", f"{base}/v1"), Library(folder), **settings) as manager,
    ):
        submitted = []
        for _ in range(count):
            task = manager.submit(model="kling-v3", prompt="雨")
            task.observe(on_status, "status")
            submitted.append(task)
        for task in submitted:
            while not task.is_done:
                time.sleep(0.1)


CLIENTS: dict[str, Callable[[str], RunTask] | None] = {
    "qingbo_widgets": None,
    "qingbo_widgets, poll_interval 0.5 s": None,
    "requests loop, 2 s": naive,
    "replicate": replicate,
    "openai": openai,
    "runwayml": runwayml,
    "fal-client": fal_client,
}


def main() -> None:
    """Run one client and print its costs as JSON."""
    name, base, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    completed_at: dict[str, float] = {}
    max_threads = [0]
    setup = CLIENTS[name]
    if setup is None:  # imports have a benchmark of their own, so they run before the clock starts
        from qingbo_widgets import Client, Library, TaskManager  # noqa: F401
    run_task = None if setup is None else setup(base)

    def watch() -> None:
        while True:
            max_threads[0] = max(max_threads[0], len(list(Path("/proc/self/task").iterdir())) - 1)
            time.sleep(0.25)

    if sys.platform == "linux":
        threading.Thread(target=watch, daemon=True).start()
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    if run_task is not None:
        in_threads(run_task, count, completed_at)
    elif name.endswith("0.5 s"):
        ours(base, count, completed_at, poll_interval=0.5)
    else:
        ours(base, count, completed_at)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1024 if sys.platform == "darwin" else 1  # ru_maxrss: bytes on macOS, KiB elsewhere
    cost = {"cpu": usage.ru_utime + usage.ru_stime - before, "memory": usage.ru_maxrss / unit / 1024}
    print(json.dumps({"known": completed_at, "threads": max_threads[0], **cost}))


if __name__ == "__main__":
    main()
