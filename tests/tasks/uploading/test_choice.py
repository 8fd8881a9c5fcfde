"""The uploader of a connection: an address, a storage, a function, the sandbox, or none."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.service.secrets.secret import Secret
from qingbo_widgets.tasks.uploading import storage as storage_module
from qingbo_widgets.tasks.uploading.choice import uploader_of
from qingbo_widgets.tasks.uploading.uploader import Uploader
from tests.service.leaks import shown_by

KEY = "sk-qingbo-0123456789abcdef"
LOCAL = "http://127.0.0.1:9/koi.png?X-Amz-Signature=0123abcd"


def nothing(*progress: int) -> None:
    """Ignore progress."""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a small PNG."""
    file = tmp_path / "koi.png"
    Image.new("RGB", (64, 36)).save(file)
    return file


def uploading(upload: Any, **settings: Any) -> Uploader:
    """Return the uploader of a connection to the service."""
    uploader = uploader_of(upload, None, **settings)
    assert uploader is not None
    return uploader


def test_without_an_uploader_there_is_none() -> None:
    """The service has no place for files itself."""
    assert uploader_of(None, None) is None


def test_the_sandbox_serves_the_file_itself(server: qw.Sandbox, picture: Path) -> None:
    """The link of the sandbox works, and so does a renewed one."""
    uploader = uploader_of(None, server)
    assert uploader is not None
    seen: list[tuple[int, int]] = []
    link = uploader.publish(picture, lambda *progress: seen.append(progress))
    assert requests.get(link.url, timeout=30).content == picture.read_bytes()
    assert seen[-1] == (picture.stat().st_size,) * 2
    assert (uploader.lifetime, uploader.removes) == (None, False)
    assert not uploader.lasts, "the next sandbox would be sent this link"
    renewed = uploader.renew(picture)
    assert renewed is not None
    assert requests.get(renewed.url, timeout=30).ok
    uploader.remove(picture)
    assert uploader.renew(picture.with_name("gone.png")) is None


def test_the_sandbox_says_what_it_cannot_serve(server: qw.Sandbox, tmp_path: Path) -> None:
    """A file of another kind is refused in words."""
    uploader = uploader_of(None, server)
    assert uploader is not None
    (file := tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    with pytest.raises(qw.UploadFailed, match=r"The sandbox cannot serve notes\.txt: "):
        uploader.publish(file, nothing)
    with pytest.raises(qw.UploadFailed, match=r"The sandbox cannot serve gone\.png: "):
        uploader.publish(tmp_path / "gone.png", nothing)


def test_a_function_uploads(picture: Path, server: qw.Sandbox) -> None:
    """A function gets the path and returns the URL; it goes before the sandbox."""
    paths: list[Path] = []

    def upload(path: Path) -> str:
        paths.append(path)
        return "https://pictures.example.com/koi.png"

    uploader = uploader_of(upload, server)
    assert uploader is not None
    link = uploader.publish(picture, nothing)
    assert (link.url, paths) == ("https://pictures.example.com/koi.png", [picture])
    assert uploader.destination == "test_a_function_uploads.upload()"
    assert (uploader.lifetime, uploader.removes) == (None, False)
    assert uploader.renew(picture) is None


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "returned a value of type NoneType; it must return the URL"),
        (Path("koi.png"), "returned a value of type"),
        ("/home/me/koi.png", "is not a public http"),
        ("file:///koi.png", "is a file on this machine"),
        ("", "is blank"),
        ("http://192.168.1.5/koi.png", "leads to 192.168.1.5, which only this machine or its network"),
        (LOCAL, "leads to 127.0.0.1, which only"),
    ],
)
def test_a_function_must_return_a_public_url(picture: Path, returned: Any, message: str) -> None:
    """Everything else is refused, without the query of the URL, which may be a signature."""
    with pytest.raises(qw.UploadFailed, match=message) as raised:
        uploading(lambda _: returned).publish(picture, nothing)
    assert "0123abcd" not in str(raised.value)


def test_a_service_on_this_machine_reads_its_links(picture: Path) -> None:
    """A service that runs here reads links to this machine, such as those of a store beside it."""
    link = uploading(lambda _: LOCAL, local_service=True).publish(picture, nothing)
    assert link.url == LOCAL
    store = qw.Storage(
        "s3://pictures", key="k", secret="s" * 12, endpoint_url="http://127.0.0.1:9", public=LOCAL[:18]
    )
    assert uploading(store, local_service=True).lifetime is None


def test_a_failed_function_is_quoted_without_keys(picture: Path) -> None:
    """The error has the type and the text of the function's own, but no key, login or signature."""
    client = qw.Client(KEY, "http://127.0.0.1:9")

    def upload(path: Path) -> str:
        raise OSError(f"403 for https://me:pw@host.example/koi.png?sig=0123abcd with {KEY}")

    with pytest.raises(
        qw.UploadFailed, match=r"upload\(\) failed: OSError: 403 for https://host\.example/"
    ) as raised:
        uploading(upload).publish(picture, nothing)
    shown = shown_by(raised.value)
    for hidden in (KEY, "0123abcd", "me:pw"):
        assert hidden not in shown
    del client


def test_something_else_is_no_uploader() -> None:
    """A wrong argument is a TypeError that names what is right."""
    with pytest.raises(TypeError, match="must be a function or an address such as s3://bucket, not int"):
        uploader_of(3, None)  # type: ignore[arg-type]


LOGIN = "AKIAIOSFODNN7:wJalrXUtnFEMI"


@pytest.mark.parametrize("open_it", [qw.Storage, uploading], ids=["Storage", "uploader_of"])
@pytest.mark.parametrize("scheme", ["s3", "oss", "gs", "abfs"])
def test_an_address_with_a_login_is_refused_unseen(open_it: Any, scheme: str) -> None:
    """Credentials in an address would be shown with it everywhere; the refusal does not show them."""
    with pytest.raises(ValueError, match="must not contain credentials") as raised:
        open_it(f"{scheme}://{LOGIN}@pictures/2026")
    assert "wJalr" not in shown_by(raised.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("pictures", "is like s3://bucket/prefix, and begins with one of s3://, oss://, gs://, abfs://"),
        ("ftp://pictures", "begins with one of"),
        ("s3://", "begins with one of"),
        ("s3:///prefix", "names a bucket: s3://bucket/prefix"),
        ("s3://pictures//2026", "must not contain"),
        ("s3://pictures/2026?versionId=1", "must not contain"),
        ("s3://my pictures", "must not contain"),
        ("s3://pictures/../other", "must not contain"),
        ("s3://pictures/./2026", "must not contain"),
        ("s3://../other", "must not contain"),
    ],
)
def test_an_address_is_checked_at_once(address: str, message: str) -> None:
    """A wrong address is refused where it is written, not with the first picture."""
    with pytest.raises(ValueError, match=message):
        qw.Storage(address)
    with pytest.raises(TypeError, match="is a text such as s3://bucket/prefix"):
        qw.Storage(Path(address))  # type: ignore[arg-type]


@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), float("inf"), True, "48", timedelta(0)])
def test_a_lifetime_is_a_number_of_hours(lifetime: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="a number of hours above 0, or a timedelta"):
        qw.Storage("s3://pictures", lifetime=lifetime)


def test_a_lifetime_above_that_of_signed_links_is_refused() -> None:
    """A signed link of S3 lives 7 days at most; public ones do not expire."""
    assert qw.Storage("s3://pictures", lifetime=168).lifetime == timedelta(days=7)
    assert qw.Storage("s3://pictures").lifetime == timedelta(hours=48)
    with pytest.raises(ValueError, match=r"live at most 168 hours.*pass public="):
        qw.Storage("s3://pictures", lifetime=169)
    assert qw.Storage("s3://pictures", lifetime=169, public="https://cdn.example.com").lifetime is None
    for url in ("cdn.example.com", "https://cdn.example.com/?a=b", "https://a:b@cdn.example.com"):
        with pytest.raises(ValueError, match="public is the http") as raised:
            qw.Storage("s3://pictures", public=url)
        assert url not in shown_by(raised.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    monkeypatch.setattr(storage_module, "find_spec", lambda _: None)
    for address, command in (
        ("s3://pictures", r'pip install "qingbo_widgets\[upload\]"'),
        ("oss://pictures", 'oss:// needs ossfs: pip install "ossfs"'),
        ("gs://pictures", 'pip install "gcsfs"'),
        ("abfs://pictures@account.dfs.core.windows.net", 'pip install "adlfs"'),
    ):
        with pytest.raises(ImportError, match=command):
            qw.Storage(address)


def test_a_store_without_an_endpoint_of_its_own_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliyun has an endpoint for each region; without one, the storage is refused where it is written."""
    monkeypatch.setattr(storage_module, "find_spec", lambda _: object())
    monkeypatch.delenv("OSS_ENDPOINT", raising=False)
    with pytest.raises(ValueError, match="oss:// needs the endpoint of the bucket's region"):
        qw.Storage("oss://pictures", key="k", secret="s")
    store = qw.Storage("oss://pictures", key="k", secret="s", endpoint="https://oss-cn-hangzhou.aliyuncs.com")
    assert store.destination == "oss://pictures (oss-cn-hangzhou.aliyuncs.com)"


@pytest.mark.slow
def test_nothing_of_the_stores_is_imported_before_it_is_used() -> None:
    """``import qingbo_widgets``, and opening a storage, load neither fsspec nor botocore."""
    script = (
        "import sys, qingbo_widgets as qw\n"
        "qw.Storage('s3://pictures/2026', key='k', secret='s').destination\n"
        "print(sorted({'fsspec', 's3fs', 'botocore', 'aiohttp'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_an_address_alone_is_a_storage() -> None:
    """``connect(upload="s3://bucket/prefix")`` is short for a storage with the usual settings."""
    uploader = uploading("s3://pictures/2026/")
    assert uploader.destination == "s3://pictures/2026"
    assert repr(uploader) == "Storage('s3://pictures/2026')"
    assert uploading(Secret("s3://pictures")).lifetime == timedelta(hours=48)
