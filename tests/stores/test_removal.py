"""Uploads are removed after their task, and not before another one has read them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import qingbo_widgets as qw
from tests.faults.server import FaultServer, answer
from tests.faults.service import Service
from tests.stores.s3 import Store
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_proxy"),
    pytest.mark.filterwarnings("ignore:Local files are uploaded"),
]


def storage(store: Store) -> qw.Storage:
    """Return a storage whose files are removed after their tasks."""
    options: dict[str, Any] = dict(store.options)
    return qw.Storage(f"s3://{store.bucket}/pictures", remove=True, **options)


def names(store: Store) -> list[str]:
    """Return the names of the objects that are in the store."""
    from s3fs import S3FileSystem

    files = S3FileSystem(**store.options, use_listings_cache=False, skip_instance_cache=True)
    return [name.rpartition("/")[2] for name in files.find(store.bucket)]


def picture() -> Image.Image:
    """Return a picture."""
    return Image.new("RGB", (640, 480), "teal")


@pytest.mark.parametrize("other", ["same kernel", "connected again", "other kernel"])
def test_a_picture_stays_while_another_task_needs_it(s3: Store, tmp_path: Path, other: str) -> None:
    """A task that waits in the queue of the service has not read its picture yet."""
    service = Service()
    service.story = (("queued", 0),)
    with FaultServer(otherwise=service) as server, ExitStack() as stack:
        service.url = server.url

        def connect() -> qw.TaskManager:
            client = qw.Client("sk-removal-0123456789", f"{server.url}/v1")
            manager = qw.TaskManager(client, qw.Library(tmp_path / "videos"), poll_interval=0.1)
            manager.upload = storage(s3)
            return stack.enter_context(manager)

        first = connect()
        waiting = first.submit(prompt="x", image=picture())
        until(lambda: waiting.task_id)
        second = connect() if other == "other kernel" else first
        if other == "connected again":
            first.upload = storage(s3)
        service.faults["submit"] = [answer({"error": {"message": "no", "code": "invalid_request"}}, 400)]
        refused = second.submit(prompt="x", image=picture())
        until(lambda: refused.is_done)
        time.sleep(2)  # in which it would be removed
        assert names(s3), "the first task cannot read its picture"
        service.story = (("completed", 100),)
        assert waiting.wait(20).status == qw.TaskStatus.completed
        until(lambda: names(s3) == [])


SCRIPT = """
    import warnings
    from PIL import Image
    import qingbo_widgets as qw

    warnings.simplefilter("ignore")
    storage = qw.Storage({address!r}, remove=True, **{options!r})
    client = qw.Client({key!r}, {url!r})
    manager = qw.TaskManager(client, qw.Library({folder!r}), poll_interval=0.1)
    manager.upload = storage
    manager.submit(prompt="x", image=Image.new("RGB", (640, 480))).wait()
"""


def test_a_script_that_ends_with_its_task_removes_the_picture(
    s3: Store, server: qw.Sandbox, tmp_path: Path
) -> None:
    """Nothing of the user's stays in the store."""
    values: dict[str, Any] = {"address": f"s3://{s3.bucket}/pictures", "options": s3.options}
    values |= {"key": server.api_key, "url": server.base_url, "folder": str(tmp_path / "videos")}
    source = textwrap.dedent(SCRIPT).format(**values)
    done = subprocess.run([sys.executable, "-c", source], timeout=120, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert names(s3) == [], done.stderr.decode()
