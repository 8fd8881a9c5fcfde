"""A storage on a real S3 server: what arrives, what is sent twice, what breaks."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

import qingbo_widgets as qw
from qingbo_widgets.tasks.uploading import storage as storage_module
from qingbo_widgets.tasks.uploading.choice import uploader_of
from tests.service.leaks import shown_by
from tests.stores.s3 import CuttingProxy, Store

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_proxy")]

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLE"
QUICK = {"config_kwargs": {"read_timeout": 0.3, "connect_timeout": 0.3}}


def nothing(*progress: int) -> None:
    """Ignore progress."""


Open = Callable[..., qw.Storage]


@pytest.fixture
def open_storage(s3: Store, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return a function that opens a storage on the server."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)

    def make(prefix: str = "pictures", **options: Any) -> qw.Storage:
        return qw.Storage(f"s3://{s3.bucket}/{prefix}", **{**s3.options, **options})

    return make


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a file with the suffix of a photograph."""
    file = tmp_path / "photo-0123456789abcdef.jpg"
    file.write_bytes(os.urandom(100_000))
    return file


def fetched(link: Any) -> requests.Response:
    """Fetch a link as the service does, without credentials."""
    return requests.get(link.url, timeout=60)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("koi.jpg", "image/jpeg"),
        ("锦鲤 在池塘.webp", "image/webp"),
        ("a+b&c=d 100%25 #1.png", "image/png"),
        ("clip.mp4", "video/mp4"),
    ],
)
@pytest.mark.parametrize("prefix", ["pictures", "我的 图片/2026", ""])
def test_whoever_has_the_link_gets_the_file(
    open_storage: Open, tmp_path: Path, name: str, kind: str, prefix: str
) -> None:
    """The signed link serves the bytes with their content type, whatever characters the name has."""
    file = tmp_path / name
    file.write_bytes(os.urandom(1000))
    before = datetime.now(UTC)
    link = open_storage(prefix).publish(file, nothing)
    answer = fetched(link)
    assert (answer.status_code, answer.content) == (200, file.read_bytes()), answer.text
    assert answer.headers["content-type"] == kind, "the service would take the file for something else"
    assert link.expires_at is not None
    assert timedelta(hours=48) <= link.expires_at - before <= timedelta(hours=48, minutes=5)


def test_fifty_megabytes_arrive_in_pieces(open_storage: Open, tmp_path: Path) -> None:
    """A large file arrives whole, with progress that never goes back and ends at its size."""
    file = tmp_path / "large.mp4"
    file.write_bytes(os.urandom(50_000_000))
    seen: list[int] = []
    link = open_storage().publish(file, lambda *progress: seen.append(progress[0]))
    assert fetched(link).content == file.read_bytes()
    assert len(set(seen)) > 5, f"the bar would jump: {seen}"
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 50_000_000)


def test_the_same_bytes_are_sent_once(open_storage: Open, photo: Path) -> None:
    """Bytes that the store has are not sent again; other bytes of the same name and size are."""
    seen: list[int] = []

    def note(*progress: int) -> None:
        seen.append(progress[0])

    open_storage().publish(photo, note)
    seen.clear()
    link = open_storage().publish(photo, note)
    assert seen == [], "the photograph was sent twice"
    assert fetched(link).content == photo.read_bytes()
    photo.write_bytes(os.urandom(100_000))
    link = open_storage().publish(photo, note)
    assert fetched(link).content == photo.read_bytes(), "the video would begin with the old picture"


def test_a_link_is_renewed_only_for_bytes_that_are_there(open_storage: Open, photo: Path) -> None:
    """A renewed link works; there is none for a file that is missing or different, or was removed."""
    store = open_storage()
    assert store.renew(photo) is None
    store.publish(photo, nothing)
    link = store.renew(photo)
    assert link is not None
    assert fetched(link).ok
    photo.write_bytes(b"shorter")
    assert store.renew(photo) is None


def test_a_removed_file_is_gone(open_storage: Open, photo: Path) -> None:
    """Its link is dead, and removing it again is no error."""
    store = open_storage(remove=True)
    assert store.removes
    link = store.publish(photo, nothing)
    store.remove(photo)
    assert fetched(link).status_code == 404
    store.remove(photo)
    photo.unlink()
    store.remove(photo)


def test_a_link_ends_with_its_lifetime(s3: Store, open_storage: Open, photo: Path) -> None:
    """The link serves the file for its lifetime, and not longer."""
    link = open_storage(lifetime=30).publish(photo, nothing)
    with s3.clock_ahead(hours=29, minutes=50):
        assert fetched(link).ok, "the link ended before its time"
    with s3.clock_ahead(hours=30, minutes=10):
        assert fetched(link).status_code == 403


def test_a_changed_link_is_refused(open_storage: Open, photo: Path) -> None:
    """The link serves one file only: its signature covers the key."""
    link = open_storage().publish(photo, nothing)
    name, _, query = link.url.partition("?")
    assert requests.get(f"{name}x?{query}", timeout=60).status_code == 403
    assert not requests.get(name, timeout=60).ok, "the bucket is public"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a file that is sent in three pieces."""
    file = tmp_path / "large.mp4"
    file.write_bytes(os.urandom(12_000_000))
    return file


def test_a_cut_connection_leaves_nothing_behind(
    flaky_s3: tuple[Store, CuttingProxy], open_storage: Open, large: Path
) -> None:
    """An upload that is cut again and again fails, leaves no half file, and succeeds later."""
    store, proxy = flaky_s3
    proxy.cut_after(*[2_000_000] * 30)
    with pytest.raises(qw.UploadFailed, match=r"was not reached, or did not answer\. Check") as raised:
        open_storage(endpoint_url=proxy.url).publish(large, nothing)
    assert raised.value.transient
    assert proxy.cuts >= 3, "it was not tried again"
    assert store.names() == [], "a half file is in the bucket"
    assert fetched(open_storage().publish(large, nothing)).content == large.read_bytes()


def test_one_cut_connection_is_not_noticed(
    flaky_s3: tuple[Store, CuttingProxy], open_storage: Open, large: Path
) -> None:
    """A piece whose connection was cut is sent again, and only this piece counts twice."""
    _, proxy = flaky_s3
    proxy.cut_after(7_000_000)
    seen: list[int] = []
    open_storage(endpoint_url=proxy.url).publish(large, lambda *progress: seen.append(progress[0]))
    assert proxy.cuts == 1
    assert seen == sorted(seen), f"the bar went back: {seen}"
    link = open_storage().renew(large)
    assert link is not None
    assert fetched(link).content == large.read_bytes()


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of a server that neither reads nor answers; the system accepts its connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_silent_store_ends(open_storage: Open, photo: Path) -> None:
    """A store that never answers is given up."""
    with (
        silent_server() as url,
        pytest.raises(qw.UploadFailed, match="was not reached, or did not answer") as raised,
    ):
        open_storage(endpoint_url=url, **QUICK).publish(photo, nothing)
    assert raised.value.transient


def test_a_store_that_stops_reading_ends(
    open_storage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that stops reading within the file is given up: no time limit of a socket covers this."""
    monkeypatch.setattr(storage_module, "_SHORT", 2)
    monkeypatch.setattr(storage_module, "_SLOWEST", 1e9)
    monkeypatch.setattr(storage_module.Storage, "_is_there", lambda *_: False)
    file = tmp_path / "large.mp4"
    file.write_bytes(bytes(40_000_000))
    with silent_server() as url, pytest.raises(qw.UploadFailed, match="did not answer"):
        open_storage(endpoint_url=url).publish(file, nothing)


def test_it_works_in_a_cell(open_storage: Open, photo: Path) -> None:
    """A notebook's cell runs in an event loop; the upload has one of its own."""

    async def cell() -> Any:
        return open_storage().publish(photo, nothing)

    assert fetched(asyncio.run(cell())).ok


def test_threads_share_a_storage(open_storage: Open, tmp_path: Path) -> None:
    """Several tasks upload through one storage at the same time."""
    store, done = open_storage(), []
    files = [tmp_path / f"{number}.png" for number in range(8)]
    for file in files:
        file.write_bytes(os.urandom(1000))
    threads = [
        threading.Thread(target=lambda file=file: done.append((file, store.publish(file, nothing))))
        for file in files
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 8
    assert all(fetched(link).content == file.read_bytes() for file, link in done)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_uploads_too(s3: Store, open_storage: Open, tmp_path: Path) -> None:
    """A storage that was used before a fork works in the child and in the parent."""
    script = (
        "import os, sys, qingbo_widgets as qw\n"
        "from pathlib import Path\n"
        "url, secret, bucket, key, folder = sys.argv[1:]\n"
        "store = qw.Storage(f's3://{bucket}/fork', key=key, secret=secret, endpoint_url=url)\n"
        "def send(name):\n"
        "    file = Path(folder) / f'{name}.png'\n"
        "    file.write_bytes(os.urandom(1000))\n"
        "    print(name, store.publish(file, print).url.startswith(url), flush=True)\n"
        "send('before')\n"
        "child = os.fork()\n"
        "send('after' if child else 'child')\n"
        "child and os.waitpid(child, 0)\n"
    )
    arguments = [s3.endpoint_url, s3.secret, s3.bucket, s3.key, str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, encoding="utf-8", timeout=100
    )
    assert done.returncode == 0, done.stderr
    lines = {line for line in done.stdout.splitlines() if line.endswith("True")}
    assert lines == {"before True", "child True", "after True"}, done.stdout + done.stderr


def test_a_store_on_this_machine_needs_a_service_on_this_machine(open_storage: Open, photo: Path) -> None:
    """A link to this machine is refused for the service, which cannot read it, and works for a local one."""
    local = uploader_of(open_storage(), None, local_service=True)
    remote = uploader_of(open_storage(), None)
    assert local is not None
    assert remote is not None
    assert fetched(local.publish(photo, nothing)).ok
    for call in (lambda: remote.publish(photo, nothing), lambda: remote.renew(photo)):
        with pytest.raises(qw.UploadFailed, match=r"leads to 127\.0\.0\.1, which only this machine"):
            call()


def test_credentials_of_the_environment_are_used(
    s3: Store, open_storage: Open, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key, secret and endpoint come from the variables of the AWS tools."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
    store = qw.Storage(f"s3://{s3.bucket}/pictures")
    assert s3.endpoint_url.partition("//")[2] in store.destination, "the user cannot see where it goes"
    assert fetched(store.publish(photo, nothing)).ok


def test_a_link_ends_with_its_temporary_credentials(
    s3: Store, open_storage: Open, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is signed with credentials of one hour is not said to live for two days."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", end.isoformat())
    link = open_storage(key=None, secret=None).publish(photo, nothing)
    assert fetched(link).ok
    assert link.expires_at == end


def test_a_missing_file_is_called_so(open_storage: Open, tmp_path: Path) -> None:
    """A file that was deleted meanwhile is not taken for a missing bucket."""
    with pytest.raises(qw.UploadFailed, match=r"gone\.jpg cannot be read: No such file"):
        open_storage().publish(tmp_path / "gone.jpg", nothing)


def test_wrong_credentials_and_places_are_named(s3: Store, open_storage: Open, photo: Path) -> None:
    """The server's refusals, in plain words."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("no credentials were found.*AWS_ACCESS_KEY_ID", {"key": None, "secret": None}),
        ("the secret does not belong to the access key", {"secret": SECRET}),
        ("was not reached", {"endpoint_url": "http://127.0.0.1:9", **QUICK}),
        ("an option that s3fs does not take.*endpoint_uri", {"endpoint_uri": "http://127.0.0.1:9"}),
        ("could not be found", {"profile": "missing", "key": None, "secret": None}),
    ]
    for message, options in wrong:
        with pytest.raises(qw.UploadFailed, match=message) as raised:
            open_storage(**options).publish(photo, nothing)
        assert (raised.value.__context__, raised.value.__cause__) == (None, None)
    given: dict[str, Any] = dict(s3.options)
    with pytest.raises(qw.UploadFailed, match="has no bucket no-such-bucket"):
        qw.Storage("s3://no-such-bucket/pictures", **given).publish(photo, nothing)


def test_a_wrong_clock_is_named(s3: Store, open_storage: Open, photo: Path) -> None:
    """A store refuses requests with a wrong time; the error says which time is right."""
    with (
        s3.clock_ahead(minutes=25),
        pytest.raises(qw.UploadFailed, match=r"UTC, 25 min away from it\. Set it"),
    ):
        open_storage().publish(photo, nothing)


def test_no_secret_is_shown(
    s3: Store, open_storage: Open, photo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr, error, verbose traceback or log has the secret or the signature of a link."""
    caplog.set_level(logging.DEBUG)
    store = open_storage(secret=SECRET)
    with pytest.raises(qw.UploadFailed) as raised:
        store.publish(photo, nothing)
    store = open_storage()
    link = store.publish(photo, nothing)
    assert "botocore" in caplog.text
    texts = [repr(store), str(vars(store)), repr(link), shown_by(raised.value), caplog.text]
    signature = link.url.partition("Signature=")[2].partition("&")[0]
    assert signature
    for text in texts:
        assert SECRET not in text
        assert s3.secret not in text
        assert signature not in text
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(store)
