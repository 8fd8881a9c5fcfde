"""Tests of the image check, from first bytes and over a real socket."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.service.http.image_probe import LARGEST, ImageReport, Size, probe_image, size_of
from tests.faults.server import Exchange, FaultServer, Step, answer, close, partial, redirect, reset, silence


def picture(kind: str, width: int, height: int, **options: Any) -> bytes:
    """Return an image file written by Pillow."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int, width: int = 640, height: int = 360) -> bytes:
    """Return a JPEG with the EXIF orientation of a camera."""
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x0112] = orientation
    return picture("JPEG", width, height, exif=exif)


FILES: dict[str, tuple[bytes, Size]] = {
    "png": (picture("PNG", 641, 359), Size("PNG", 641, 359)),
    "jpeg": (picture("JPEG", 641, 359), Size("JPEG", 641, 359)),
    "progressive jpeg": (picture("JPEG", 641, 359, progressive=True), Size("JPEG", 641, 359)),
    "jpeg with a profile": (picture("JPEG", 9, 8, icc_profile=b"x" * 150_000), Size("JPEG", 9, 8)),
    "webp": (picture("WEBP", 641, 359), Size("WebP", 641, 359)),
    "lossless webp": (picture("WEBP", 641, 359, lossless=True), Size("WebP", 641, 359)),
    "extended webp": (picture("WEBP", 641, 359, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"), Size("WebP", 641, 359)),
    "held upright": (turned(6), Size("JPEG", 360, 640)),
    "upside down": (turned(3), Size("JPEG", 640, 360)),
}


@pytest.mark.parametrize("name", FILES)
def test_kind_width_and_height_are_read_from_the_bytes(name: str) -> None:
    """Format and size are those that Pillow wrote, rotated upright as in a browser."""
    data, size = FILES[name]
    assert size_of(data) == size


@pytest.mark.parametrize("name", FILES)
def test_a_part_of_a_file_never_breaks_the_reader(name: str) -> None:
    """The beginning of a file gives either no size or the right one."""
    data, size = FILES[name]
    for length in [*range(min(len(data), 700)), len(data) // 2]:
        assert size_of(data[:length]) in (None, size)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + b"\0" * 60, b"<html>", b"\xff\xd8\xff\xe0\0\0", b"RIFF" * 9]
)
def test_other_files_are_none(data: bytes) -> None:
    """A GIF, which the service does not accept, and broken files give ``None``."""
    assert size_of(data) is None


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (1920, 1080, "16:9"),
        (1080, 1920, "9:16"),
        (512, 512, "1:1"),
        (1366, 768, "16:9"),
        (1200, 800, "3:2"),
        (1850, 1000, "1.85:1"),
        (1000, 1850, "1:1.85"),
    ],
)
def test_the_shape_in_words(width: int, height: int, shape: str) -> None:
    """The shape is a common ratio where there is one, and otherwise a decimal ratio."""
    assert ImageReport("", Size("PNG", width, height)).shape == shape


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [(300, 300, ""), (299, 600, "at least 300"), (750, 300, ""), (1000, 399, "2.5:1"), (399, 1000, "2.5:1")],
)
def test_klings_own_limits_are_warnings(width: int, height: int, words: str) -> None:
    """An image at Kling's limits gives no warning, and one beyond them does."""
    report = ImageReport("", Size("PNG", width, height))
    assert report.problem == ""
    assert words in report.warning
    assert bool(report.warning) == bool(words)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
PNG = FILES["png"][0]
SERVICE = "https://service.example/v1"


def test_one_check_gives_format_and_size(server: FaultServer) -> None:
    """A check gives format and size, and sends no key."""
    report = probe_image(f"{server.then(answer(PNG)).url}/koi.png", server.url)
    assert (report.size, report.problem, report.content) == (Size("PNG", 641, 359), "", b"")
    (request,) = server.requests
    assert "authorization" not in request.headers


def test_the_bytes_are_kept_where_asked_for(server: FaultServer) -> None:
    """The content is kept completely, or not at all if it is larger than ``keep``."""
    server.then(answer(PNG), answer(PNG))
    assert probe_image(f"{server.url}/a.png", server.url, keep=len(PNG)).content == PNG
    assert probe_image(f"{server.url}/a.png", server.url, keep=len(PNG) - 1).content == b""


def test_an_image_of_too_many_pixels_is_not_kept(server: FaultServer) -> None:
    """An image of 3,600,000,000 pixels is not kept, because a page that decodes it would crash."""
    huge = PNG[:16] + 2 * (60_000).to_bytes(4, "big") + PNG[24:]
    server.then(answer(huge))
    report = probe_image(f"{server.url}/a.png", server.url, keep=len(huge))
    assert report.size == Size("PNG", 60_000, 60_000)
    assert report.content == b""


def test_a_redirect_is_followed(server: FaultServer) -> None:
    """Redirects, which image hosts use, are followed."""
    server.then(redirect("/b.png"), answer(PNG))
    assert probe_image(f"{server.url}/a.png", server.url).size == Size("PNG", 641, 359)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (answer(b"", 404), "No image at this address: its server returns 404"),
        (answer(b"", 410), "No image at this address: its server returns 410"),
        (answer(b"GIF89a" + b"\0" * 99), "not a JPEG, PNG or WebP"),
        (answer(b"GIF89a" + b"\0" * 99, Content_Type="image/png"), "not a JPEG, PNG or WebP"),
        (answer(gzip.compress(b"GIF89a"), Content_Encoding="gzip"), "not a JPEG, PNG or WebP"),
        (answer(b"%PDF-1.7\n"), "not a JPEG, PNG or WebP"),
        (answer(SVG), "not a JPEG, PNG or WebP"),
        (answer(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->" + SVG), "not a JPEG, PNG or WebP"),
        (answer(PNG, Content_Length="10000001"), "larger than 10 MB"),
        (answer(gzip.compress(PNG + b"x" * LARGEST), Content_Encoding="gzip"), "larger than 10 MB"),
    ],
)
def test_an_image_that_certainly_cannot_be_used(server: FaultServer, step: Step, words: str) -> None:
    """A complete answer that is no image, or too large, and the answer that there is none, are problems."""
    server.then(step)
    report = probe_image(f"{server.url}/koi.png", server.url)
    assert words in report.problem
    assert (report.doubt, report.warning, report.is_transient) == ("", "", False)


@pytest.mark.parametrize(
    ("step", "words", "is_transient"),
    [
        (answer(b"no programs", 403), "returns 403", False),
        (answer(b"", 401), "returns 401", False),
        (answer(b"", 405), "returns 405", False),
        (answer(b"", 451), "returns 451", False),
        (answer(PNG, 206), "returns 206", False),
        (answer(b"", 204), "returns 204", False),
        (answer(b"", 429), "returns 429", True),
        (answer(b"<html>a moment", 503), "returns 503", True),
        (answer(b"", 500), "returns 500", True),
        (partial(PNG[:40] + b"x" * 999, 10), "before its response was complete", True),
        (close, "closed the connection", True),
        (reset, "closed the connection", True),
        (silence, "did not answer in time", True),
        (redirect("file:///etc/passwd"), "not public", False),
        (answer(b"\x8b\x05\x80brotli", Content_Encoding="br"), "compresses it in a way", False),
        (answer(b"\x28\xb5\x2f\xfdzstd", Content_Encoding="zstd"), "compresses it in a way", False),
        (
            answer(gzip.compress(PNG)[:20] + b"damaged", Content_Encoding="gzip"),
            "compresses it in a way",
            False,
        ),
        (answer(zlib.compress(PNG)[2:], Content_Encoding="deflate"), "compresses it in a way", False),
        (answer(b"\xff\xd8\xff\xe0\0\0"), "size of the picture cannot be read", False),
        (answer(b" <!doctype html><title>Just a moment...</title>"), "perhaps a sign-in page", False),
        (answer(b"\xef\xbb\xbf\r\n<html><svg></svg>"), "perhaps a sign-in page", False),
        (answer(gzip.compress(b"<html>"), Content_Encoding="gzip"), "perhaps a sign-in page", False),
        (answer("没有权限".encode("gb18030"), Content_Type="image/png"), "perhaps a sign-in page", False),
        (answer(b'{"error": "no hotlinks"}'), "perhaps a sign-in page", False),
        (answer(b"<?xml version='1.0'?><Error>AccessDenied</Error>"), "perhaps a sign-in page", False),
        (answer(b""), "sends nothing", True),
    ],
)
def test_an_image_that_this_machine_cannot_check(
    server: FaultServer, step: Step, words: str, is_transient: bool
) -> None:
    """A failure that only concerns this machine is a warning with its reason, and no problem."""
    server.then(step, step)
    report = probe_image(
        f"{server.url}/koi.png", server.url, timeout=(20.0, 0.3 if step is silence else 20.0)
    )
    assert report.problem == "", "a user could not submit a request that the service can serve"
    assert words in report.warning
    assert report.warning.endswith("The service may still be able to fetch it.")
    assert report.is_transient == is_transient


def test_a_page_to_sign_in(server: FaultServer) -> None:
    """A redirect to a web page is a doubt: the service's network may not be asked to sign in."""
    server.then(redirect("/login"), answer(b"<!doctype html><title>Please sign in"))
    report = probe_image(f"{server.url}/koi.png", server.url)
    assert (report.problem, "perhaps a sign-in page" in report.warning) == ("", True)


def test_a_link_that_redirects_for_ever(server: FaultServer) -> None:
    """An endless chain is a doubt, not an error."""
    server.then(*[redirect("/again")] * 9)
    report = probe_image(f"{server.url}/koi.png", server.url)
    assert (report.problem, "redirects too often" in report.warning) == ("", True)


@pytest.mark.parametrize(
    "step",
    [
        answer(gzip.compress(PNG), Content_Encoding="gzip"),
        answer(gzip.compress(PNG), Content_Encoding="GZIP", Content_Type="text/plain"),
        answer(zlib.compress(PNG), Content_Encoding="deflate"),
        answer(PNG, Content_Encoding="gzip"),
        answer(PNG, Content_Encoding="br"),
        answer(PNG, Content_Encoding="none"),
        answer(PNG, Content_Encoding="identity"),
        answer(PNG, Content_Type="text/html"),
        answer(PNG, Accept_Ranges="none"),
    ],
)
def test_the_bytes_decide(server: FaultServer, step: Step) -> None:
    """A PNG is a PNG, compressed or not, whatever its headers say."""
    server.then(step)
    report = probe_image(f"{server.url}/koi.jpg", server.url, keep=len(PNG))
    assert (report.size, report.problem, report.doubt) == (Size("PNG", 641, 359), "", "")
    assert report.content == PNG


def test_tls_and_proxies_are_doubts(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or a certificate between this machine and the image says nothing about the service."""
    report = probe_image(f"{server.url.replace('http:', 'https:')}/koi.png", server.url)
    assert (report.problem, "TLS" in report.warning) == ("", True)
    monkeypatch.setenv("HTTP_PROXY", server.url.replace("://", "://me:hush-hush@"))
    server.then(answer(b"", 407))
    report = probe_image("http://images.example/koi.png", server.url)
    assert report.problem == ""
    assert "does not accept the user name and the password" in report.warning
    assert "hush" not in report.warning
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:port")
    report = probe_image("http://images.example/koi.png", server.url)
    assert (report.problem, "HTTP_PROXY is not the address of a proxy" in report.warning) == ("", True)
    report = probe_image("https://images.invalid/koi.png", SERVICE)
    assert (report.problem, "images.invalid was not found" in report.warning) == ("", True)


def test_a_server_that_does_not_tell_the_size_is_read_to_the_limit(server: FaultServer) -> None:
    """Without a ``Content-Length``, 10 MB are accepted and one byte more is not."""

    def endless(length: int) -> Step:
        def step(exchange: Exchange) -> bool:
            exchange.send(200, {}, PNG + b"x" * (length - len(PNG)))
            return False

        return step

    server.then(endless(LARGEST), endless(LARGEST + 1))
    assert probe_image(f"{server.url}/a.png", server.url).problem == ""
    assert "larger than 10 MB" in probe_image(f"{server.url}/a.png", server.url).problem


def test_a_public_service_has_no_image_on_this_machine(server: FaultServer) -> None:
    """A pasted URL that targets a server on this machine is not requested."""
    assert "public" in probe_image(f"{server.url}/a.png", SERVICE).problem
    assert server.requests == []


def test_a_url_that_is_no_web_address_is_never_requested() -> None:
    """A URL other than http and https is a problem."""
    assert probe_image("file:///etc/passwd", SERVICE).problem


@pytest.mark.parametrize(("format", "head"), [("PNG", 33), ("JPEG", 700), ("WebP", 40)])
def test_the_head_is_enough(format: str, head: int) -> None:
    """The head of a file is enough to read its size, so a picture of 10 MB is not downloaded."""
    file = io.BytesIO()
    Image.effect_noise((640, 360), 50).save(file, format)
    size = size_of(file.getvalue()[:head])
    assert size is not None
    assert (size.format, size.width, size.height) == (format, 640, 360)
    assert len(file.getvalue()) > 10 * head
