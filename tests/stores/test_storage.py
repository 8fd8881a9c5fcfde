"""``qw.Storage`` on a real store, from a picture on the disk to a video that begins with it.

``tests/tasks/uploading`` has the storage by itself; here are the store's view of it and the service's.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

import qingbo_widgets as qw
from tests.stores.s3 import CuttingProxy, Store

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_proxy")]

ORANGE = (240, 120, 20)


def nothing(sent: int, size: int) -> None:
    """Ignore progress."""


def storage(store: Store, prefix: str = "pictures", **options: Any) -> qw.Storage:
    """Return a storage on a bucket, with the options of its connection and others."""
    return qw.Storage(f"s3://{store.bucket}/{prefix}", **(store.options | options))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a picture of one colour, whose name has Chinese and a blank."""
    file = tmp_path / "锦鲤 池塘-0123456789abcdef.png"
    Image.new("RGB", (640, 360), ORANGE).save(file)
    return file


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file that is sent in three parts."""
    file = tmp_path / "large.mp4"
    file.write_bytes(os.urandom(12_000_000))
    return file


def test_a_picture_on_the_disk_becomes_a_video(s3: Store, photo: Path, manager: qw.TaskManager) -> None:
    """The service reads the signed link, and the video begins with the picture."""
    link = storage(s3).publish(photo, nothing)
    task = manager.submit(prompt="锦鲤游动", image_urls=[link.url], duration=3).wait(60)
    assert task.video_path is not None
    colour = np.asarray(task.frame(0).convert("RGB")).reshape(-1, 3).mean(axis=0)
    assert np.abs(colour - ORANGE).max() < 40, f"the video begins with another picture: {colour}"


def test_a_link_that_has_ended_fails_the_task(s3: Store, photo: Path, manager: qw.TaskManager) -> None:
    """A service that comes to the picture too late finds the door closed; the task says so."""
    link = storage(s3, lifetime=1).publish(photo, nothing)
    with s3.clock_ahead(hours=1, minutes=1), pytest.raises(qw.TaskFailed, match="403"):
        manager.submit(prompt="锦鲤", image_urls=[link.url], duration=3).wait(60)


def test_links_live_for_two_days(s3: Store, photo: Path) -> None:
    """That is what the documentation promises, and the end that is kept with them."""
    link = storage(s3).publish(photo, nothing)
    with s3.clock_ahead(hours=47, minutes=59):
        assert requests.get(link.url, timeout=30).content == photo.read_bytes()
    with s3.clock_ahead(hours=48, minutes=1):
        assert requests.get(link.url, timeout=30).status_code == 403


def test_a_link_that_has_ended_is_renewed_without_sending(
    flaky_s3: tuple[Store, CuttingProxy], photo: Path
) -> None:
    """Submitting again a day later costs no second upload: another link to the same file."""
    store, proxy = flaky_s3
    carrier = storage(store, lifetime=0.5)
    old = carrier.publish(photo, nothing)
    sent = proxy.received
    new = carrier.renew(photo)
    assert new is not None
    assert proxy.received - sent < 4000, "the picture was sent again"
    assert requests.get(new.url, timeout=30).content == photo.read_bytes()
    assert requests.get(old.url, timeout=30).ok


def test_the_same_picture_travels_once(flaky_s3: tuple[Store, CuttingProxy], large: Path) -> None:
    """Also for another storage object, in another kernel, and for a file sent in parts."""
    store, proxy = flaky_s3
    storage(store).publish(large, nothing)
    sent = proxy.received
    assert sent > large.stat().st_size
    assert requests.get(storage(store).publish(large, nothing).url, timeout=60).content == large.read_bytes()
    assert proxy.received - sent < 8000, "the file was sent twice"


def test_public_links_are_short_and_do_not_end(s3: Store, photo: Path) -> None:
    """They work without a signature, in a bucket that everyone may read."""
    link = storage(s3, "我的 图片", public=s3.open_to_all()).publish(photo, nothing)
    assert link.expires_at is None
    assert "?" not in link.url, "the public link is signed"
    with s3.clock_ahead(days=30):
        assert requests.get(link.url, timeout=30).content == photo.read_bytes()


Broken = Callable[[Store], Store]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda s3: replace(s3, secret="wrong"), "the secret does not belong to the access key"),
        (lambda s3: replace(s3, key="stranger"), "access key"),  # Swift calls it a wrong secret
        (lambda s3: replace(s3, key=s3.guest_key), "access was denied.*these rights in bucket-.*PutObject"),
        (lambda s3: replace(s3, bucket="no-such-bucket"), "has no bucket no-such-bucket.*create the bucket"),
        (lambda s3: replace(s3, endpoint_url="http://127.0.0.1:9"), "127.0.0.1:9 was not reached"),
    ],
    ids=["secret", "key", "rights", "bucket", "endpoint"],
)
def test_what_the_store_refuses_is_said_in_plain_words(
    s3: Store, photo: Path, broken: Broken, message: str
) -> None:
    """The sentence names the destination, what is wrong and what to do; nothing was stored."""
    with pytest.raises(qw.UploadFailed, match=message) as raised:
        storage(broken(s3)).publish(photo, nothing)
    assert str(raised.value).startswith("s3://")
    assert s3.secret not in str(raised.value)
    assert s3.names() == []


@pytest.mark.parametrize("minutes", [-90, 20])
def test_a_wrong_clock_is_named_with_the_difference(s3: Store, photo: Path, minutes: int) -> None:
    """Slow or fast, and a file that is in the store already is no exception."""
    carrier = storage(s3)
    carrier.publish(photo, nothing)
    for file in (photo, Path(__file__)):
        with (
            s3.clock_ahead(minutes=minutes),
            pytest.raises(qw.UploadFailed, match=f"the clock of this machine is wrong.*{abs(minutes)} min"),
        ):
            carrier.publish(file, nothing)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ_a_little_do_no_harm(s3: Store, photo: Path, minutes: int) -> None:
    """The link works at once, although it was signed at another time than the store's."""
    with s3.clock_ahead(minutes=minutes):
        link = storage(s3).publish(photo, nothing)
        assert requests.get(link.url, timeout=30).content == photo.read_bytes()


def test_an_upload_that_breaks_once_is_repeated(flaky_s3: tuple[Store, CuttingProxy], large: Path) -> None:
    """Of a file in parts, only the broken part is sent again."""
    store, proxy = flaky_s3
    proxy.cut_after(7_000_000)
    link = storage(store).publish(large, nothing)
    assert proxy.cuts == 1
    assert requests.get(link.url, timeout=60).content == large.read_bytes()
    assert proxy.received < 1.6 * large.stat().st_size, "the whole file was sent again"


def test_an_upload_that_breaks_again_and_again_leaves_nothing(
    flaky_s3: tuple[Store, CuttingProxy], large: Path
) -> None:
    """Neither half a file nor parts, which stores keep and charge for unseen; the next upload works."""
    store, proxy = flaky_s3
    proxy.most = 1_000_000
    with pytest.raises(qw.UploadFailed, match="was not reached, or did not answer") as raised:
        storage(store).publish(large, nothing)
    assert raised.value.transient
    assert proxy.cuts >= 3, "it was not tried again"
    assert (store.names(), store.unfinished()) == ([], [])
    proxy.most = math.inf
    assert requests.get(storage(store).publish(large, nothing).url, timeout=60).content == large.read_bytes()


def test_a_removed_file_takes_its_link_with_it(s3: Store, photo: Path) -> None:
    """Other files of the bucket stay."""
    carrier, other = storage(s3, remove=True), photo.with_name("other.png")
    other.write_bytes(photo.read_bytes())
    kept = carrier.publish(other, nothing)
    link = carrier.publish(photo, nothing)
    carrier.remove(photo)
    assert requests.get(link.url, timeout=30).status_code == 404
    assert carrier.renew(photo) is None
    assert requests.get(kept.url, timeout=30).ok
