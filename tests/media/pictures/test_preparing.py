"""Tests of pictures as the service takes them, by the pixels that it would decode."""

from __future__ import annotations

import io
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from qingbo_widgets.media.pictures import Picture, PictureRules, UnusableMedia, prepare
from qingbo_widgets.media.pictures.rules import fitting_size
from tests.pictures import AVIF, of_16_bits, photograph, pixels_of, saved, with_chunk

SRGB = ImageCms.createProfile("sRGB")
#: Red and blue of the corners of a photograph.
RED, BLUE, WHITE = (220, 0), (0, 220), (255, 255, 255)
STORED = [RED, (0, 0), (0, 0), BLUE]
PLACE = b"31.2304N 121.4737E"


def image_of(picture: Picture) -> Image.Image:
    """Return the picture as a browser decodes it, and check that it is what it says."""
    image = Image.open(io.BytesIO(picture.content))
    image.load()
    assert image.size == (picture.width, picture.height)
    assert image.format is not None
    assert image.format.upper() == picture.format.upper()
    assert "exif" not in image.info, "place and camera leave with the picture"
    assert "icc_profile" not in image.info
    return image


def corners(picture: Picture) -> list[tuple[int, int]]:
    """Return red and blue, to tens, of the corners: upper left, upper right, lower left, lower right."""
    pixels = np.asarray(image_of(picture).convert("RGB")).astype(int)
    places = (pixels[20, 20], pixels[20, -20], pixels[-20, 20], pixels[-20, -20])
    return [(round(place[0], -1), round(place[2], -1)) for place in places]


def assert_like(picture: Picture, expected: list[tuple[int, int]]) -> None:
    """Fail unless the corners have these colours, as far as a lossy format keeps them."""
    assert np.array(corners(picture)) == pytest.approx(np.array(expected), abs=20)


# ---------------------------------------------------------------- a file that needs no change


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP"])
def test_a_file_that_the_service_takes_keeps_its_pixels(form: str) -> None:
    """A file without metadata is sent as it is, without being compressed again."""
    content = saved(photograph(), form)
    picture = prepare(content)
    assert (picture.content, picture.format, picture.notes) == (content, form, ())
    assert picture.suffix == {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp"}[form]
    assert (picture.width, picture.height) == (480, 360)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP"])
def test_metadata_never_leaves(form: str) -> None:
    """Place, camera, texts, thumbnail and what stands behind the end are removed; the pixels stay."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of A"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    exif[0x9286] = PLACE.decode()
    options = {
        "exif": exif,
        "xmp": b"<x:xmpmeta>" + PLACE + b"</x:xmpmeta>",
        "icc_profile": saved_profile(SRGB),
    }
    if form == "JPEG":
        options["comment"] = PLACE
    clean, content = saved(photograph(), form), saved(photograph(), form, **options)
    if form == "PNG":
        content = with_chunk(content, b"tEXt", b"Location\0" + PLACE)
    content += b"ftypmp42" + PLACE  # as phones append a video
    assert PLACE in content
    picture = prepare(content)
    assert PLACE not in picture.content
    assert b"Camera" not in picture.content
    assert picture.format == form, "the picture was compressed once more"
    assert np.array_equal(pixels_of(picture.content), pixels_of(clean))
    image_of(picture)
    assert picture.notes == ()


def saved_profile(profile: object) -> bytes:
    """Return the bytes of a colour profile."""
    return ImageCms.ImageCmsProfile(profile).tobytes()  # type: ignore[arg-type]


def test_a_thumbnail_is_removed() -> None:
    """A small copy of the picture as it was before it was cropped stays here, wherever it stands."""
    content = saved(photograph(), "JPEG")
    thumbnail = b"JFIF\0\1\1\0\0\1\0\1" + bytes([2, 2]) + PLACE[:12]
    segment = b"\xff\xe0" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    picture = prepare(content[:2] + segment + content[20:])
    assert PLACE[:12] not in picture.content
    assert np.array_equal(pixels_of(picture.content), pixels_of(content))


def test_a_photograph_of_a_phone_with_further_pictures_behind_it() -> None:
    """The first picture is used, without its depth map or brightness map, and without a note."""
    content = saved(photograph(), "MPO", save_all=True, append_images=[photograph(64, 48)])
    picture = prepare(content)
    assert picture.format == "JPEG"
    assert len(picture.content) < len(content)
    assert picture.notes == ()
    assert_like(picture, STORED)


def test_the_same_value_gives_the_same_bytes() -> None:
    """The name of a file is derived from its content, so equal pictures must be equal files."""
    for value in (photograph(), saved(photograph(), "GIF"), np.asarray(photograph())):
        assert prepare(value).content == prepare(value).content
    assert prepare(photograph()).content == prepare(np.asarray(photograph())).content


# ---------------------------------------------------------------- orientation and colours


TURNS = {
    1: (0, 1, 2, 3),
    2: (1, 0, 3, 2),
    3: (3, 2, 1, 0),
    4: (2, 3, 0, 1),
    5: (0, 2, 1, 3),
    6: (2, 0, 3, 1),
    7: (3, 1, 2, 0),
    8: (1, 3, 0, 2),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", *AVIF])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_photograph_is_upright(form: str, orientation: int) -> None:
    """A phone stores a picture as its sensor stands, and says how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = prepare(saved(photograph(), form, exif=exif))
    assert (picture.width, picture.height) == ((480, 360) if orientation < 5 else (360, 480))
    assert_like(picture, [STORED[place] for place in TURNS[orientation]])


def test_an_image_that_was_opened_with_pillow_is_upright() -> None:
    """Image.open() does not turn a photograph, and neither do most users."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(saved(photograph(), "JPEG", exif=exif))) as image:
        picture = prepare(image)
    assert (picture.width, picture.height) == (360, 480)


def profile_of(kind: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC profile of version 2 with these tags."""
    name = b"Wide\0"
    text = b"desc\0\0\0\0" + len(name).to_bytes(4, "big") + name + bytes(78)
    tags = {b"desc": text + bytes(-len(text) % 4), b"cprt": b"text\0\0\0\0none\0\0\0\0", **tags}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + fixed(*D50)
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        table += tag + (at + len(body)).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    head[0:4] = (at + len(body)).to_bytes(4, "big")
    head[8:12], head[12:24], head[36:40] = b"\2\x10\0\0", kind + connection, b"acsp"
    head[68:80] = fixed(*D50)
    return bytes(head) + len(tags).to_bytes(4, "big") + table + body


D50 = (0.9642, 1.0, 0.8249)


def fixed(*numbers: float) -> bytes:
    """Return numbers with 16 binary places."""
    return b"".join(round(number * 65536).to_bytes(4, "big", signed=True) for number in numbers)


def gamma_profile(primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """Return the profile of a screen with these primaries (red, green, blue; white D65)."""
    white = np.array([0.9505, 1.0, 1.0890])
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    matrix = columns * np.linalg.solve(columns, white)
    # Bradford: profiles are relative to D50.
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapted = np.linalg.inv(cone) @ np.diag((cone @ np.array(D50)) / (cone @ white)) @ cone @ matrix
    curve = b"curv\0\0\0\0\0\0\0\1" + round(gamma * 256).to_bytes(2, "big")
    tags = {}
    for index, letter in enumerate((b"r", b"g", b"b")):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*adapted[:, index])
        tags[letter + b"TRC"] = curve
    return profile_of(b"mntrRGB ", b"XYZ ", tags)


def print_profile() -> bytes:
    """Return the profile of a printer: paper, and cyan, magenta, yellow and black of the ISO coated paper."""
    colours = []
    for inks in itertools.product((0, 1), repeat=4):
        light, a, b = 95.0, 0.0, -2.0
        for ink, (by, red, yellow) in zip(
            inks, ((0.58, -37, -50), (0.50, 75, -6), (0.94, -6, 95), (0.17, 0, 0)), strict=True
        ):
            if ink:
                light, a, b = light * by, a + red, b + yellow
        colours += [light * 2.55, a + 128, b + 128]
    identity = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    clut = bytes(round(min(max(value, 0), 255)) for value in colours)
    return profile_of(b"prtrCMYK", b"Lab ", {b"A2B0": table + 4 * identity + clut + 3 * identity})


ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))


@pytest.mark.parametrize(
    ("primaries", "stored", "seen"),
    # The colours of the same light, as colour calculators give them.
    [
        (ADOBE, (200, 120, 80), (224, 121, 77)),
        (P3, (200, 120, 80), (214, 117, 69)),
        (P3, (90, 90, 90), (90, 90, 90)),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_colour_profile_is_applied(
    primaries: tuple[tuple[float, float], ...],
    stored: tuple[int, int, int],
    seen: tuple[int, int, int],
    form: str,
) -> None:
    """A photograph of a good camera looks pale where its profile is lost."""
    profile = gamma_profile(primaries, 2.2)
    picture = prepare(saved(Image.new("RGB", (400, 400), stored), form, icc_profile=profile))
    assert np.asarray(image_of(picture).convert("RGB"))[200, 200].tolist() == pytest.approx(seen, abs=4)
    assert picture.notes == ()


def test_a_damaged_profile_is_left_out() -> None:
    """The colours stay as they are stored, and a note says why they may look wrong."""
    profile = gamma_profile(ADOBE, 2.2)
    for damaged in (profile[:200], b"\0" * 300, b"x"):
        picture = prepare(saved(photograph(), "JPEG", icc_profile=damaged))
        assert picture.notes == ("The colour profile is damaged or of another kind, and was left out.",)
        assert corners(picture)[0] == pytest.approx(RED, abs=10)


def test_a_grey_picture_with_a_profile_of_colours() -> None:
    """Programs give a grey photograph the profile of the colour photograph that it was."""
    grey = photograph().convert("L")
    picture = prepare(saved(grey, "JPEG", icc_profile=gamma_profile(ADOBE, 2.2)))
    assert picture.notes == ()
    shown = np.asarray(image_of(picture).convert("L")).astype(int)
    assert abs(shown - np.asarray(grey)).max() < 16


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_a_picture_for_print(form: str) -> None:
    """CMYK becomes RGB; a browser or a decoder of videos shows CMYK in wrong colours, or not at all."""
    content = saved(Image.new("CMYK", (400, 400), (0, 255, 255, 0)), form)
    picture = prepare(content)
    red, green, blue = np.asarray(image_of(picture).convert("RGB"))[200, 200]
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("inks", "seen"),
    # Lab (55, -37, -52), (47.5, 75, -8) and (95, 0, -2) in sRGB, by the formulas of the CIE.
    [((255, 0, 0, 0), (0, 147, 223)), ((0, 255, 0, 0), (212, 0, 124)), ((0, 0, 0, 0), (241, 241, 244))],
)
def test_a_picture_for_print_with_its_profile(
    inks: tuple[int, ...], seen: tuple[int, int, int], form: str
) -> None:
    """Printed cyan is no pure cyan; the profile says which it is."""
    content = saved(Image.new("CMYK", (400, 400), inks), form, icc_profile=print_profile())
    picture = prepare(content)
    assert picture.notes == ()
    shown = np.asarray(image_of(picture).convert("RGB"))[200, 200]
    # The black of the paper's ink is stretched to black, which makes all colours a little darker.
    assert shown.tolist() == pytest.approx(seen, abs=14)


def test_sixteen_bits_of_grey() -> None:
    """Depth maps and scans have 65,536 steps, which become 256, not white."""
    values = np.linspace(0, 65535, 400 * 400).reshape(400, 400)
    picture = prepare(of_16_bits(values))
    shown = np.asarray(image_of(picture).convert("L")).astype(int)
    assert abs(shown - np.rint(values / 257)).max() <= 1
    with Image.open(io.BytesIO(of_16_bits(values))) as image:
        assert np.array_equal(pixels_of(prepare(image).content), pixels_of(picture.content))


def test_sixteen_bits_of_colour() -> None:
    """Each channel becomes 8 bits."""
    values = np.zeros((400, 400, 3))
    values[:] = (65535, 32896, 256)
    shown = np.asarray(image_of(prepare(of_16_bits(values))))[5, 5]
    assert shown.tolist() == pytest.approx([255, 128, 1], abs=1)


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        (Image.new("1", (400, 400), 1), (255, 255, 255)),
        (Image.new("L", (400, 400), 77), (77, 77, 77)),
        (photograph(400, 400).convert("P", palette=Image.Palette.ADAPTIVE), (220, 6, 0)),
        (Image.new("I", (400, 400), 257 * 9), (9, 9, 9)),
        (Image.new("F", (400, 400), 0.5), (128, 128, 128)),
        (Image.new("HSV", (400, 400), (0, 255, 255)), (255, 0, 0)),
        (Image.new("YCbCr", (400, 400), (128, 128, 128)), (128, 128, 128)),
        (Image.new("LAB", (400, 400), (255, 128, 128)), (255, 255, 255)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_mode_of_an_image(image: Image.Image, seen: tuple[int, int, int]) -> None:
    """An image of any mode becomes the RGB that a viewer shows."""
    picture = prepare(image)
    assert np.asarray(image_of(picture).convert("RGB"))[20, 20].tolist() == pytest.approx(seen, abs=3)
    assert picture.notes == ()


def test_numbers_that_are_no_brightness() -> None:
    """A map of temperatures is refused, with its range; NaN as well."""
    with pytest.raises(UnusableMedia, match=r"from -5 to 40"):
        prepare(Image.fromarray(np.linspace(-5, 40, 160000, dtype=np.float32).reshape(400, 400)))
    with pytest.raises(UnusableMedia, match="nan"):
        prepare(Image.new("F", (400, 400), float("nan")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "RGBa", "L"])
def test_transparency_becomes_white(mode: str) -> None:
    """A decoder without alpha shows the hidden colour, mostly black; the note says what was done."""
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    image.paste((200, 200, 200, 255), (0, 0, 400, 200))
    if mode == "L":
        content = saved(image.convert("L"), "PNG", transparency=0)
    elif mode == "P":
        content = saved(image.quantize(), "PNG")
    else:
        content = image.convert(mode)  # type: ignore[assignment]
    picture = prepare(content)
    shown = np.asarray(image_of(picture).convert("RGB"))
    assert shown[-10, 10].tolist() == pytest.approx(WHITE, abs=2)
    assert shown[10, 10].tolist() == pytest.approx((200, 200, 200), abs=2)
    assert picture.notes == ("Transparent areas are now white.",)


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    """An edge that fades out stays smooth."""
    picture = prepare(Image.new("RGBA", (400, 400), (0, 0, 0, 128)))
    assert np.asarray(image_of(picture))[5, 5].tolist() == pytest.approx((127, 127, 127), abs=1)


def test_alpha_that_hides_nothing_is_dropped_silently() -> None:
    """Screenshots of some systems have an alpha of 255 everywhere."""
    picture = prepare(saved(photograph().convert("RGBA"), "PNG"))
    assert picture.notes == ()
    assert np.array_equal(pixels_of(picture.content), np.asarray(photograph()))


# ---------------------------------------------------------------- animations and pages


@pytest.mark.parametrize(
    ("form", "note"),
    [
        ("GIF", "Only the first frame of the animation is used."),
        ("WEBP", "Only the first frame of the animation is used."),
        ("PNG", "Only the first frame of the animation is used."),
        *((form, "Only the first frame of the animation is used.") for form in AVIF),
        ("TIFF", "Only the first page of the TIFF is used."),
    ],
)
def test_the_first_frame_of_an_animation(form: str, note: str) -> None:
    """One frame is used, and a note says so; the result does not move."""
    others = [Image.new("RGB", (480, 360), colour) for colour in ("green", "yellow")]
    content = saved(photograph(), form, save_all=True, append_images=others)
    picture = prepare(content)
    assert picture.notes == (note,)
    assert_like(picture, STORED)
    assert not getattr(image_of(picture), "is_animated", False)


# ---------------------------------------------------------------- the rules


@pytest.mark.slow
def test_a_large_picture_is_reduced() -> None:
    """The longest side is that of the largest videos; the note names the new size."""
    picture = prepare(saved(photograph(5000, 2500), "JPEG"))
    assert (picture.width, picture.height) == (4096, 2048)
    assert picture.notes == ("Reduced to 4096 × 2048 pixels.",)
    assert_like(picture, STORED)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(8192, 4096), (8194, 4098), (9001, 3601)])
def test_a_jpeg_that_is_decoded_in_a_reduced_size(size: tuple[int, int]) -> None:
    """The note and the size are right where the decoder itself has made the picture smaller."""
    picture = prepare(saved(photograph(*size), "JPEG"))
    assert max(picture.width, picture.height) == 4096
    assert picture.notes == (f"Reduced to {picture.width} × {picture.height} pixels.",)
    assert picture.width <= 2.5 * picture.height
    image_of(picture)


@pytest.mark.slow
def test_a_large_photograph_on_its_side() -> None:
    """Size, shape and turn are right together."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = prepare(saved(photograph(9000, 4500), "JPEG", exif=exif))
    assert (picture.width, picture.height) == (2048, 4096)
    assert_like(picture, [STORED[place] for place in TURNS[6]])


def test_a_small_picture_is_enlarged() -> None:
    """Up to twice as large; the note says so."""
    picture = prepare(photograph(200, 160))
    assert (picture.width, picture.height) == (375, 300)
    assert picture.notes == ("Enlarged to 375 × 300 pixels: each side needs at least 300.",)


def test_a_picture_that_is_much_too_small() -> None:
    """The message has the size, the limit, and a size that works."""
    with pytest.raises(UnusableMedia) as refused:
        prepare(photograph(160, 120))
    assert str(refused.value) == (
        "The picture has 160 × 120 pixels; each side needs at least 300. Use one of 400 × 300 or more."
    )
    assert prepare(photograph(400, 300)).notes == ()


@pytest.mark.parametrize(("size", "crop"), [((1000, 300), "750 × 300"), ((301, 753), "301 × 752")])
def test_a_picture_that_is_too_long(size: tuple[int, int], crop: str) -> None:
    """The message says to what size it can be cropped, and that size works."""
    with pytest.raises(UnusableMedia, match=rf"the limit is 2\.5:1\. Crop it to {crop}\.$"):
        prepare(photograph(*size))
    width, height = map(int, crop.split(" × "))
    assert prepare(photograph(width, height)).notes == ()


def test_a_file_that_is_too_large_is_compressed_more() -> None:
    """First with less quality, in the same size."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (600, 600, 3), dtype=np.uint8))
    most = len(saved(noise, "JPEG", quality=92, subsampling=0)) - 1
    picture = prepare(noise, PictureRules(largest=most))
    assert len(picture.content) <= most
    assert (picture.format, picture.width) == ("JPEG", 600)
    assert picture.notes == (f"Compressed more, so that the file has at most {most / 1e6:.1f} MB.",)


@pytest.mark.slow
def test_a_file_that_is_far_too_large_becomes_smaller() -> None:
    """Then in a smaller size, which the note names, and no other size."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (4100, 4100, 3), dtype=np.uint8))
    picture = prepare(noise, PictureRules(largest=2_000_000))
    assert len(picture.content) <= 2_000_000
    assert picture.width < 4096
    size = f"{picture.width} × {picture.height}"
    assert picture.notes == (f"Reduced to {size} pixels, so that the file has at most 2 MB.",)
    image_of(picture)


def test_a_limit_that_no_size_keeps() -> None:
    """The picture does not become smaller than the service allows."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 400, 3), dtype=np.uint8))
    with pytest.raises(UnusableMedia, match="cannot be compressed to 20 KB while each side keeps 300 pixels"):
        prepare(noise, PictureRules(largest=20_000))


@pytest.mark.slow
def test_a_large_picture_without_loss_becomes_a_jpeg() -> None:
    """A PNG of sixteen million pixels takes seconds and has more bytes than are allowed."""
    assert prepare(photograph(4000, 3000)).format == "JPEG"
    assert prepare(photograph(1600, 1200)).format == "PNG"


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 9000), st.integers(1, 9000), st.floats(1.5, 50), st.integers(1, 500))
def test_every_size_that_results_is_allowed(width: int, height: int, widest: float, shortest: int) -> None:
    """Rounding never makes a picture longer, smaller or larger than allowed; a size that is advised works."""
    rules = PictureRules(shortest_side=shortest, widest=widest)
    try:
        size, note = fitting_size((width, height), rules)
    except UnusableMedia as error:
        new_width, new_height = re.findall(r"(\d+) × (\d+)", str(error))[1]
        size, note = fitting_size((int(new_width), int(new_height)), rules)
    else:
        assert bool(note) == (size != (width, height))
    assert max(size) <= widest * min(size)
    assert min(size) >= shortest
    assert max(size) <= 4096


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_a_mask_keeps_its_pixels(mode: str) -> None:
    """A mask is always a PNG: black, white and transparent stay what they are."""
    mask = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    mask.paste((255, 255, 255, 255), (100, 50, 200, 150))
    mask = mask.convert(mode)
    rules = PictureRules(exact=True)
    for value in (mask, saved(mask, "PNG"), np.asarray(mask) if mode != "LA" else mask):
        picture = prepare(value, rules)
        assert (picture.format, picture.notes) == ("PNG", ())
        assert np.array_equal(pixels_of(picture.content), np.asarray(mask))
    content = saved(mask, "PNG")
    assert prepare(with_chunk(content, b"tEXt", b"a\0b"), rules).content == content


def test_a_mask_of_another_kind_of_file() -> None:
    """A JPEG, a palette or a single bit becomes a PNG of the same picture."""
    rules = PictureRules(exact=True)
    mask = Image.new("L", (400, 300))
    mask.paste(255, (100, 50, 200, 150))
    for content in (saved(mask, "BMP"), saved(mask.convert("1"), "PNG"), saved(mask.quantize(2), "PNG")):
        shown = Image.open(io.BytesIO(prepare(content, rules).content)).convert("L")
        assert np.array_equal(np.asarray(shown), np.asarray(mask))
    large = saved(photograph(9000, 4000).convert("L"), "JPEG", quality=20)
    assert prepare(large, rules).width == 9000, "a mask must be as large as its picture"


@pytest.mark.parametrize(
    ("mask", "rules", "reason"),
    [
        (photograph(200, 160), PictureRules(exact=True), "each side needs at least 300"),
        (photograph(1000, 300), PictureRules(exact=True), r"the limit is 2\.5:1"),
        (photograph(), PictureRules(exact=True, largest=500), "as a PNG; the limit is"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(mask: Image.Image, rules: PictureRules, reason: str) -> None:
    """Nothing is scaled, because the mask would no longer lie on its picture."""
    with pytest.raises(UnusableMedia, match=reason):
        prepare(mask, rules)


# ---------------------------------------------------------------- without Pillow


@pytest.fixture
def _without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)


@pytest.mark.usefixtures("_without_pillow")
def test_a_clean_file_needs_no_pillow(tmp_path: Path) -> None:
    """The core installation sends a file that needs no change, and no other."""
    path = tmp_path / "koi.jpg"
    for content in CLEAN:
        path.write_bytes(content)
        picture = prepare(path)
        assert (picture.content, picture.stem, picture.width, picture.notes) == (content, "koi", 480, ())
    for content in (*UNCLEAN, CLEAN[0][:-100], b"no picture"):
        with pytest.raises(ImportError, match=r'pip install "qingbo_widgets\[upload\]"'):
            prepare(content)
    assert prepare(CLEAN[1], PictureRules(exact=True)).content == CLEAN[1]
    with pytest.raises(UnusableMedia, match=r"limit is 1\.2:1"):
        prepare(CLEAN[0], PictureRules(widest=1.2))
    for rules in (PictureRules(largest=1000), PictureRules(shortest_side=400), PictureRules(exact=True)):
        with pytest.raises(ImportError, match="needs Pillow"):
            prepare(CLEAN[0], rules)


@pytest.mark.usefixtures("_without_pillow")
def test_an_array_needs_pillow() -> None:
    """The error names what to install."""
    with pytest.raises(ImportError, match="needs Pillow"):
        prepare(np.zeros((400, 400)))


CLEAN = [saved(photograph(), form) for form in ("JPEG", "PNG", "WEBP")]
_EXIF = Image.Exif()
_EXIF[0x0112] = 6
UNCLEAN = [
    *(saved(photograph(), form, exif=_EXIF) for form in ("JPEG", "PNG", "WEBP")),
    saved(photograph(), "GIF"),
    saved(photograph().convert("RGBA"), "PNG"),
    saved(photograph().quantize(), "PNG"),
    saved(photograph().convert("CMYK"), "JPEG"),
    of_16_bits(np.zeros((400, 400))),
]
