"""The S3 store of the tests refuses what Amazon's would refuse, and what is proved against it counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.stores.s3 import CuttingProxy, S3Server, Store
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,  # the first test of a worker starts the server, and each creates a bucket
    pytest.mark.usefixtures("no_proxy"),
]

FISH = b"a fish" * 1000


def put(store: Store, name: str = "fish.jpg", seconds: int = 60) -> str:
    """Put a file into the store and return a signed link to it."""
    files = store.filesystem()
    files.pipe_file(f"{store.bucket}/{name}", FISH)
    return str(files.sign(f"{store.bucket}/{name}", expiration=seconds))


def get(link: str, **headers: str) -> requests.Response:
    """Fetch a link as a service does."""
    return requests.get(link, headers=headers, timeout=30)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return the status of an answer and the store's name for the error."""
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_signed_link_leads_to_the_file(s3: Store) -> None:
    """The link is all that a service needs."""
    answer = get(put(s3))
    assert answer.status_code == 200, answer.text
    assert answer.content == FISH


def test_nothing_is_read_without_a_signature(s3: Store) -> None:
    """The address alone is refused."""
    address = put(s3).partition("?")[0]
    assert not get(address).ok
    assert not get(f"{s3.endpoint_url}/v1/AUTH_test/{s3.bucket}/fish.jpg").ok


def test_an_open_bucket_is_read_without_a_signature(s3: Store) -> None:
    """And not written to."""
    put(s3)
    address = f"{s3.open_to_all()}/fish.jpg"
    assert get(address).content == FISH
    assert requests.put(address, data=b"a bird", timeout=30).status_code in (401, 403)


@pytest.mark.parametrize("name", ["锦鲤 池塘.jpg", "two  blanks & a + %2F.png", "a/b/c é.webp"])
def test_any_name_can_be_linked(s3: Store, name: str) -> None:
    """Chinese, blanks and characters with a meaning in URLs are signed as they arrive."""
    assert get(put(s3, name)).content == FISH
    assert s3.names() == [name]


def test_a_link_ends_when_it_says(s3: Store) -> None:
    """The end is judged by the clock of the server."""
    link = put(s3, seconds=600)
    with s3.clock_ahead(minutes=9):
        assert get(link).content == FISH
    with s3.clock_ahead(minutes=11):
        assert refusal(get(link)) == (403, "AccessDenied")
    assert get(link).content == FISH, "the clock was not set back"


def test_a_link_of_two_days_ends_after_two_days(s3: Store) -> None:
    """Links live longer than the difference of clocks that requests may have."""
    link = put(s3, seconds=48 * 3600)
    with s3.clock_ahead(hours=47):
        assert get(link).content == FISH
    with s3.clock_ahead(hours=49):
        assert refusal(get(link)) == (403, "AccessDenied")


def test_a_link_with_another_signature_is_refused(s3: Store) -> None:
    """The signature is compared, not only looked for."""
    link = put(s3)
    signature = parse_qs(urlsplit(link).query)["X-Amz-Signature"][0]
    forged = link.replace(signature, signature[::-1])
    assert refusal(get(forged)) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(("part", "forged"), [("fish.jpg", "bird.jpg"), ("Expires=60", "Expires=600")])
def test_the_signature_covers_the_name_and_the_end(s3: Store, part: str, forged: str) -> None:
    """A link cannot be changed into one to another file, or into one that lives longer."""
    put(s3, "bird.jpg")
    link = put(s3, "fish.jpg")
    assert part in link
    assert refusal(get(link.replace(part, forged))) == (403, "SignatureDoesNotMatch")


def test_a_wrong_secret_is_refused(s3: Store) -> None:
    """Neither a file nor a link of such a caller is accepted."""
    put(s3)
    stranger = s3.filesystem(secret="wrong")
    with pytest.raises(PermissionError):
        stranger.pipe_file(f"{s3.bucket}/other.jpg", FISH)
    link = stranger.sign(f"{s3.bucket}/fish.jpg", expiration=60)
    assert refusal(get(link)) == (403, "SignatureDoesNotMatch")
    assert s3.names() == ["fish.jpg"]


def test_an_unknown_key_is_refused(s3: Store) -> None:
    """The key is looked up."""
    with pytest.raises(PermissionError):
        s3.filesystem(key="stranger").pipe_file(f"{s3.bucket}/fish.jpg", FISH)


def test_a_user_without_rights_is_refused(s3: Store) -> None:
    """The right key and secret are not enough to write."""
    with pytest.raises(PermissionError, match="Access Denied"):
        s3.filesystem(key=s3.guest_key).pipe_file(f"{s3.bucket}/fish.jpg", FISH)


def test_a_missing_bucket_is_refused(s3: Store) -> None:
    """The store makes no bucket by itself."""
    with pytest.raises(FileNotFoundError, match="bucket"):
        s3.filesystem().pipe_file("no-such-bucket/fish.jpg", FISH)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_clocks_that_differ_are_noticed(s3: Store, minutes: int) -> None:
    """A request is refused if its time differs from the store's by more than a quarter of an hour."""
    with s3.clock_ahead(minutes=minutes), pytest.raises(OSError, match="difference between the request time"):
        s3.filesystem().pipe_file(f"{s3.bucket}/fish.jpg", FISH)


def test_a_large_file_arrives_in_parts(s3: Store, tmp_path: Path) -> None:
    """50 MiB are put together again, and can be fetched in ranges."""
    content = b"".join(number.to_bytes(4, "big") for number in range(50 << 18))
    file = tmp_path / "large.mp4"
    file.write_bytes(content)
    files = s3.filesystem()
    files.put_file(str(file), f"{s3.bucket}/large.mp4", chunksize=8 << 20)
    assert files.info(f"{s3.bucket}/large.mp4")["ETag"].endswith('-7"'), "the file was not sent in parts"
    link = files.sign(f"{s3.bucket}/large.mp4", expiration=60)
    assert get(link).content == content
    assert get(link, Range="bytes=33554432-33554439").content == content[33554432:33554440]


def test_a_broken_upload_leaves_nothing(flaky_s3: tuple[Store, CuttingProxy]) -> None:
    """Of a connection that breaks, the store keeps no half file, and takes the next one."""
    store, proxy = flaky_s3
    link = store.filesystem().sign(f"{store.bucket}/fish.jpg", expiration=60, client_method="put_object")
    proxy.cut_after(200_000)
    with pytest.raises(requests.ConnectionError):
        requests.put(link, data=bytes(1_000_000), timeout=30)
    assert proxy.cuts == 1
    assert store.names() == [], "half a file was kept"
    assert requests.put(link, data=bytes(1_000_000), timeout=30).status_code == 200
    assert store.names() == ["fish.jpg"]


def test_the_server_ends_with_a_test_process_that_is_killed(s3_server: S3Server) -> None:
    """Neither a process nor a folder is left behind."""
    script = (
        "from tests.stores.s3 import S3Server, place\n"
        "server = S3Server(place())\n"
        "print(server.endpoint_url, server.folder, flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        address, folder = process.stdout.readline().split()
        assert get(f"{address}/").status_code
        process.kill()
    until(lambda: not Path(folder).exists(), 20)
    with pytest.raises(requests.ConnectionError):
        get(f"{address}/")
