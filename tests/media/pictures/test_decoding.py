"""Tests of files that are damaged, dangerous, or no pictures that can be read."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

import qingbo_widgets
from qingbo_widgets.media.pictures import PictureRules, UnusableMedia, prepare
from qingbo_widgets.media.pictures.parts import parts_of
from tests.pictures import AVIF, chunk, huge_png, photograph, pixels_of, saved, with_chunk

ANY = PictureRules(shortest_side=1, widest=1e9)
STARTS = (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", b"II*\0", b"GIF89a")
ROOT = Path(qingbo_widgets.__file__).parent.parent


def refused(content: bytes) -> str:
    """Return the reason why a file is refused."""
    with pytest.raises(UnusableMedia) as error:
        prepare(content)
    return str(error.value)


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", *AVIF])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_refused(form: str, share: float) -> None:
    """Half a photograph would become a video with a grey lower half."""
    content = saved(photograph(), form)
    assert "The picture is damaged or incomplete" in refused(content[: int(share * len(content))])


def test_a_png_with_texts_that_was_cut_off() -> None:
    """The texts are left out for the decoder, but not the end that is missing."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 400, 3), dtype=np.uint8))
    content = with_chunk(saved(noise, "PNG"), b"tEXt", b"a\0b")
    assert content.count(b"IDAT") > 3
    for share in (0.3, 0.6, 0.99):
        assert "damaged or incomplete" in refused(content[: int(share * len(content))])


@cache  # for the profile, which contains the time
def described(form: str) -> bytes:
    """Return a small file with metadata and a colour profile."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    return saved(photograph(64, 48), form, exif=exif, icc_profile=profile)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of damaged metadata
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", *AVIF)), st.data())
def test_a_damaged_file_is_read_or_refused(form: str, data: st.DataObject) -> None:
    """No damage raises another error, and nothing that comes out is damaged."""
    content = bytearray(described(form))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = prepare(bytes(content), ANY)
    except UnusableMedia:
        return
    assert pixels_of(picture.content).shape[:2] == (picture.height, picture.width)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from((b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP"))
)
def test_any_bytes_are_refused(content: bytes, start: bytes) -> None:
    """Random bytes are no picture, and raise no other error."""
    with pytest.raises(UnusableMedia):
        prepare(start + content)


# ---------------------------------------------------------------- other kinds of files


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "SVG files are not read here: save the picture",
        ),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg/>", "SVG files"),
        (b"<!DOCTYPE svg PUBLIC 'x'><svg/>", "SVG files"),
        (b"%PDF-1.7\n", "PDF files"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS files"),
        (b"8BPS\0\1" + bytes(100), "PSD files"),
        (saved(photograph(64, 64), "ICO"), "ICO files"),
        (saved(photograph(), "JPEG2000"), "JPEG 2000 files"),
        (b"\xff\x0a" + bytes(100), "JPEG XL files"),
        (b"<!doctype html><html><svg>a</svg></html>", "text or a web page"),
        (b"<!doctype html><html><body>Sign in</body></html>", "text or a web page"),
        (b"https://example.com/koi.jpg", "text or a web page"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(100), "The file is a video, not a picture"),
        (b"\x1aE\xdf\xa3" + bytes(100), "The file is a video, not a picture"),
        (b"PK\3\4" + bytes(100), "not a picture of a known kind: use JPEG, PNG, WebP"),
        (saved(photograph(), "TGA"), "not a picture of a known kind"),
        (b"import os\nos.system('x')", "text or a web page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_another_kind(content: bytes, reason: str) -> None:
    """The message says what it is, and how it becomes a picture."""
    assert reason in refused(content)


def test_a_photograph_of_an_iphone(monkeypatch: pytest.MonkeyPatch) -> None:
    """HEIC is read only where its decoder is installed; otherwise the message says what to do."""
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.setattr("qingbo_widgets.media.pictures.decoding.find_spec", lambda _: None)
    for content in (HEIC, HEIC.replace(b"ftypheic", b"ftypmif1")):
        assert refused(content) == "HEIC is not read here: convert it to JPEG, or pip install pillow-heif."


def test_a_photograph_of_an_iphone_with_its_decoder() -> None:
    """A real HEIC becomes a JPEG."""
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(photograph()).save(file, quality=90)
    picture = prepare(file.getvalue())
    assert (picture.format, picture.width, picture.notes) == ("JPEG", 480, ())
    assert abs(pixels_of(picture.content).astype(int) - np.asarray(photograph())).mean() < 4


def test_avif_without_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before version 11.3, Pillow did not read it."""
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    content = b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf" + bytes(100)
    assert refused(content).startswith("AVIF needs Pillow 11.3 or newer: convert it to JPEG")


@pytest.mark.parametrize(("tag", "value"), [(254, 1), (50706, b"\1\4\0\0")])
def test_a_raw_file_of_a_camera(tag: int, value: object) -> None:
    """Its first picture is a small preview, which must not be taken for the photograph."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[tag] = value
    tags.tagtype[tag] = 4 if isinstance(value, int) else 1
    assert "a camera's raw file: develop it" in refused(saved(photograph(), "TIFF", tiffinfo=tags))


def test_only_some_decoders_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other decoder of Pillow is called, whatever the file says it is."""
    Image.init()
    called: list[object] = []
    for name in Image.OPEN:
        if name not in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "PPM"):
            monkeypatch.setitem(Image.OPEN, name, (called.append, lambda _: True))
    refused(b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(100))
    assert prepare(photograph()).format == "PNG"
    assert called == []


# ---------------------------------------------------------------- bombs


def test_text_in_a_png_that_unpacks_to_gigabytes_is_never_unpacked() -> None:
    """The picture beside it is read, and the text is gone."""
    bomb = zlib.compress(bytes(50_000_000), 9)
    content = saved(photograph(), "PNG")
    for kind, head in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")):
        picture = prepare(with_chunk(content, kind, head + bomb))
        assert picture.content == content
    content = saved(photograph().quantize(), "PNG")
    many = b"".join(chunk(b"zTXt", b"a\0\0" + bomb[:900]) for _ in range(2000))
    assert prepare(content[:33] + many + content[33:]).width == 480


def test_a_profile_that_unpacks_to_gigabytes() -> None:
    """It is refused by the decoder."""
    bomb = b"a\0\0" + zlib.compress(bytes(100_000_000), 9)
    assert "damaged" in refused(with_chunk(saved(photograph(), "PNG"), b"iCCP", bomb))


def announcing(form: str, side: int) -> bytes:
    """Return a small file that announces a picture of this width and height."""
    content = bytearray(saved(photograph(64, 48), form))
    if form == "GIF":
        content[6:10] = struct.pack("<HH", side, side)
    elif form == "BMP":
        content[18:26] = struct.pack("<ii", side, side)
    elif form == "JPEG":
        at = content.index(b"\xff\xc0")
        content[at + 5 : at + 9] = struct.pack(">HH", side, side)
    elif form == "WEBP":
        at = content.index(b"\x9d\x01\x2a")
        content[at + 3 : at + 7] = struct.pack("<HH", side, side)
    elif form == "PPM":
        return b"P6 %d %d 255\n" % (side, side)
    elif form == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
        for tag, value in (
            (256, side),
            (257, side),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, 8),
            (277, 1),
            (278, side),
        ):
            tags[tag] = value
        tags[279] = side
        return b"II*\0\x08\0\0\0" + tags.tobytes(8)
    return bytes(content)


@pytest.mark.parametrize("form", ["GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG"])
def test_a_small_file_that_announces_a_huge_picture(form: str) -> None:
    """It is refused by its header, and the message names the limit."""
    side = 16_000 if form == "WEBP" else 30_000
    reason = refused(announcing(form, side))
    assert f"The picture has {side} × {side} pixels; the limit is " in reason
    assert "million: save it in a smaller size." in reason


def test_a_progressive_jpeg_is_not_read_by_rows() -> None:
    """A decoder keeps all of it in memory: its limit is that of every other format."""
    from qingbo_widgets.media.pictures.parts import is_one_scan

    assert is_one_scan(saved(photograph(), "JPEG"))
    assert is_one_scan(saved(photograph().convert("L"), "JPEG"))
    assert not is_one_scan(saved(photograph(), "JPEG", progressive=True))
    content = bytearray(saved(photograph(64, 48), "JPEG", progressive=True))
    at = content.index(b"\xff\xc2")
    content[at + 5 : at + 9] = struct.pack(">HH", 10_000, 10_000)
    assert "limit is 80 million" in refused(bytes(content))


MEASURE = """
import resource, sys, time
from PIL import Image
Image.init()
from qingbo_widgets.media.pictures import UnusableMedia, prepare
content = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    picture = prepare(content)
    said = f"{picture.width} x {picture.height} {picture.notes}"
except UnusableMedia as error:
    said = str(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, said)
"""


def measured(content: bytes) -> tuple[int, str]:
    """Return the megabytes that another process needs for a picture, and what came out."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=content,
        capture_output=True,
        check=True,
        cwd=ROOT,
        encoding=None,
    )
    megabytes, _, said = run.stdout.decode().strip().partition(" ")
    return int(megabytes), said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows does not measure this")
def test_a_png_of_400_million_pixels_takes_no_memory() -> None:
    """A file of a megabyte, whose pixels are 1.6 GB, is refused by its header."""
    content = huge_png(20_000)
    assert len(content) < 2_000_000
    megabytes, said = measured(content)
    assert said.startswith("The picture has 20000 × 20000 pixels; the limit is 80 million")
    assert megabytes < 20, f"the refusal took {megabytes} MB"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows does not measure this")
def test_a_jpeg_of_200_million_pixels_is_reduced() -> None:
    """A photograph of a phone with 200 million pixels, more than Pillow opens, is read in a quarter of it."""
    image = Image.new("RGB", (16_384, 12_288), "teal")
    megabytes, said = measured(saved(image, "JPEG"))
    assert said == "4096 x 3072 ('Reduced to 4096 × 3072 pixels.',)"
    assert megabytes < 400, f"the picture took {megabytes} MB"


# ---------------------------------------------------------------- the parts of a file


def test_the_parts_of_a_file() -> None:
    """A complete file is taken apart; one that is cut off, or of another kind, is not."""
    for form in ("JPEG", "PNG", "WEBP"):
        content = saved(photograph(), form)
        parts = parts_of(content)
        assert parts is not None
        assert (parts.bare, parts.is_plain, parts.has_alpha) == (content, True, False)
        for length in (*range(40), len(content) // 2, len(content) - 1):
            assert parts_of(content[:length]) is None, f"{form} of {length} bytes"
    assert parts_of(saved(photograph(), "GIF")) is None


@pytest.mark.parametrize(
    ("content", "plain", "alpha"),
    [
        (saved(photograph(), "JPEG", progressive=True), True, False),
        (saved(photograph().convert("L"), "JPEG"), True, False),
        (saved(photograph().convert("CMYK"), "JPEG"), False, False),
        (saved(photograph().convert("RGBA"), "PNG"), True, True),
        (saved(photograph().convert("1"), "PNG"), False, False),
        (saved(photograph(), "PNG", transparency=(1, 2, 3)), True, True),
        (saved(photograph(), "WEBP", lossless=True), True, False),
        (saved(Image.new("RGBA", (90, 90), (1, 2, 3, 4)), "WEBP", lossless=True), True, True),
        (saved(Image.new("RGBA", (90, 90), (1, 2, 3, 4)), "WEBP"), True, True),
    ],
)
def test_what_the_parts_say(content: bytes, plain: bool, alpha: bool) -> None:
    """The header shows whether the service can take the pixels as they are."""
    parts = parts_of(content)
    assert parts is not None
    assert (parts.is_plain, parts.has_alpha) == (plain, alpha)
    if not alpha:
        assert np.array_equal(pixels_of(parts.bare), pixels_of(content))
