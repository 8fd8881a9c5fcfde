"""Rendered videos of orders: references, elements, source videos, sizes, sound and watermark."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from qingbo_widgets.sandbox import render_pool
from qingbo_widgets.sandbox.drawing.lettering import Lettering, ShotText
from qingbo_widgets.sandbox.drawing.media import UnusablePicture
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.sandbox.drawing.source import UnusableVideo
from qingbo_widgets.sandbox.order import Element, Order, Shot
from qingbo_widgets.sandbox.render_pool import Job
from tests.faults.server import Exchange, FaultServer, answer
from tests.sandbox.drawing.clips import Pixels, clip, plain
from tests.sandbox.drawing.films import Film, difference

pytestmark = pytest.mark.slow

SHOT = (Shot("a pond at night", 1),)
FACTS = ("kling-v3-omni", "720p", "1 s")
LONG = (Shot("一只戴着草帽的柴犬坐在湖边的小船上，远处是雪山与晚霞。" * 20, 1),)
MAGENTA, GREEN, RED, BLUE = (230, 0, 230), (0, 210, 0), (230, 0, 0), (0, 0, 230)


class Web:
    """A server of pictures and videos."""

    def __init__(self, server: FaultServer) -> None:
        self.url = server.url
        self._files: dict[str, bytes] = {}
        server.otherwise = self._send

    def put(
        self, content: bytes | Image.Image | tuple[int, int, int], size: tuple[int, int] = (64, 48)
    ) -> str:
        """Serve a file, a picture, or a picture of one colour, and return its URL."""
        if isinstance(content, tuple):
            content = Image.new("RGB", size, content)
        if isinstance(content, Image.Image):
            file = io.BytesIO()
            content.save(file, "PNG")
            content = file.getvalue()
        path = f"/{len(self._files)}"
        self._files[path] = content
        return self.url + path

    def _send(self, exchange: Exchange) -> bool:
        content = self._files.get(exchange.request.path)
        return (answer(status=404) if content is None else answer(content))(exchange)


@pytest.fixture
def web() -> Iterator[Web]:
    """Yield a server of files."""
    with FaultServer() as server:
        yield Web(server)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Film]:
    """Return a function that renders an order of one second, as a draft by default, and decodes the video."""

    def draw(*, draft: bool = True, **fields: Any) -> Film:
        order = Order(**{"shots": SHOT, "facts": FACTS, **fields})
        render(order, tmp_path / "film.mp4", draft=draft)
        return Film(tmp_path / "film.mp4")

    return draw


def near(frame: NDArray[np.int16], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return where a frame has a colour."""
    return np.asarray((np.abs(frame - np.array(colour)) < 45).all(axis=-1))


def columns(mask: NDArray[np.bool_]) -> float:
    """Return the middle of a marked part, in pixels from the left."""
    return float(np.nonzero(mask)[1].mean())


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"short_side": 2160}, (960, 540)),
        ({"short_side": 2160, "aspect_ratio": "9:16"}, (540, 960)),
        ({"aspect_ratio": "1:1"}, (180, 180)),
        ({"aspect_ratio": "4:3"}, (240, 180)),
        ({"aspect_ratio": "21:9"}, (420, 180)),
        ({"short_side": 540, "aspect_ratio": "2:3"}, (134, 202)),
        ({"aspect_ratio": ""}, (320, 180)),
    ],
)
def test_the_size(film: Any, fields: dict[str, Any], size: tuple[int, int]) -> None:
    """Resolution and aspect ratio decide the size; a draft has a quarter of it."""
    assert film(**fields).size == size


@pytest.mark.slow
def test_four_thousand_pixels(film: Any, web: Web) -> None:
    """A video in 4k has 3840 by 2160 pixels, as text, pictures and sound have their places in it."""
    drawn = film(draft=False, short_side=2160, references=(web.put(MAGENTA),), has_sound=True)
    small = film(draft=False, short_side=1080, references=(web.put(MAGENTA),), has_sound=True)
    assert drawn.size == (3840, 2160)
    assert len(drawn.frames) == 24
    assert drawn.sound == [("aac", 48_000)]
    reduced = drawn.frames[5].reshape(1080, 2, 1920, 2, 3).mean(axis=(1, 3)).astype(np.int16)
    assert difference(reduced, small.frames[5]) < 3


def test_an_empty_aspect_ratio_follows_the_pictures(film: Any, web: Web) -> None:
    """Without an aspect ratio the film has the shape of the first reference, or else of the video."""
    video = web.put(clip(plain(RED, (64, 64))))
    fields = {"aspect_ratio": "", "source_video": video, "source_use": "reference"}
    assert film(references=(web.put(RED, (60, 80)),), **fields).size == (180, 240)
    assert film(**fields).size == (180, 180)


@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1"])
def test_references_and_elements_appear(film: Any, web: Web, ratio: str) -> None:
    """Seven references and three elements stand apart from each other, above even a long prompt."""
    grays = [(tone, 255, tone) for tone in range(0, 210, 30)]
    references = tuple(web.put(colour, (80, 60)) for colour in grays)
    elements = tuple(
        Element(f"thing{number}", (web.put(colour), web.put(BLUE)))
        for number, colour in enumerate((MAGENTA, RED, (230, 230, 0)))
    )
    frame = film(shots=LONG, aspect_ratio=ratio, references=references, elements=elements).frames[3]
    bare = film(shots=LONG, aspect_ratio=ratio).frames[3]
    for colour in (MAGENTA, RED, (230, 230, 0), BLUE):
        assert near(frame, colour).sum() > 25
        assert near(bare, colour).sum() == 0
    green = (frame[..., 1] > 225) & (frame[..., 0] < 215) & (np.abs(frame[..., 0] - frame[..., 2]) < 25)
    assert green.sum() > 7 * 60
    changed = np.nonzero(np.abs(frame - bare).max(axis=-1) > 40)[0]
    size = frame.shape[1], frame.shape[0]
    assert changed.max() < Lettering(size, ShotText(LONG[0].prompt, [" · ".join(FACTS)], "")).top
    assert changed.min() > 79 * np.sqrt(size[0] * size[1]) / 960  # below the mark


@pytest.mark.slow
def test_the_name_beneath_an_element(film: Any, web: Web) -> None:
    """The name of an element is written in white beneath its picture."""
    url = web.put(MAGENTA)
    names = "koi", "koi-and-heron"
    short, long = (film(draft=False, elements=(Element(name, (url,)),)).frames[0] for name in names)
    picture, changed = np.nonzero(near(short, MAGENTA)), np.nonzero(np.abs(short - long).max(axis=-1) > 60)
    assert (near(short, MAGENTA) == near(long, MAGENTA)).mean() > 0.999
    assert len(changed[0]) > 200
    assert picture[0].max() + 5 < changed[0].min()
    assert changed[0].max() < picture[0].max() + 40
    assert picture[1].min() < changed[1].min() < changed[1].max() < picture[1].max()
    shown = [(frame[picture[0].max() + 8 :].min(axis=-1) > 200).sum() for frame in (short, long)]
    assert shown[0] + 100 < shown[1]


def test_references_beside_a_first_frame(film: Any, web: Web) -> None:
    """The first frame fills the film and becomes the last one; the reference stands at its edge."""
    fields = {"first_frame": web.put(RED, (160, 90)), "last_frame": web.put(BLUE, (160, 90))}
    frames = film(references=(web.put(GREEN),), **fields).frames
    for frame in (frames[0], frames[-1]):
        assert near(frame, GREEN).sum() > 200
        assert columns(near(frame, GREEN)) > 0.7 * frame.shape[1]
    assert near(frames[0], RED)[30:120, :200].all()
    assert near(frames[-1], BLUE)[30:120, :200].all()


def sliding(seconds: float) -> Pixels:
    """Return a picture with a bright block that moves to the right, and a texture that moves with it."""
    picture = np.random.default_rng(3).integers(60, 200, (90, 320, 3), np.uint8)
    picture[:, 150:170] = GREEN
    return np.roll(picture, round(24 * seconds), axis=1)[:, 100:260]


def test_a_reference_video_plays_in_its_frame(film: Any, web: Web) -> None:
    """The source video is seen inside the scene, moves, and begins again when it is shorter."""
    colours = plain(RED), plain(BLUE)
    video = web.put(clip(lambda seconds: colours[seconds >= 0.25](seconds), 0.5))
    frames = film(source_video=video, source_use="reference").frames
    place = near(frames[0], RED)
    assert 1500 < place.sum() < 12_000
    for index, colour in ((0, RED), (8, BLUE), (13, RED), (20, BLUE)):
        assert near(frames[index], colour)[place].mean() > 0.8
    assert difference(frames[0][~place], film().frames[0][~place]) < 6


def test_an_edited_video(film: Any, web: Web) -> None:
    """An edit has the shape and the content of the source, in other colours, with the mark and the prompt."""
    half = np.zeros((120, 90, 3), np.uint8)
    half[:, 45:] = 255
    drawn = film(source_video=web.put(clip(lambda _: half, 1.0)), source_use="edit", aspect_ratio="16:9")
    assert drawn.size == (180, 240)
    assert len(drawn.frames) == 24
    left, right = (drawn.frames[5][60:150, cut].mean(axis=(0, 1)) for cut in (slice(5, 80), slice(100, 175)))
    assert right.mean() > left.mean() + 80
    assert left[2] > left[0] + 8  # the night of the prompt is blue
    whole = film(source_video=web.put(clip(plain((0, 0, 0), (90, 120)))), source_use="edit").frames[5]
    assert (whole[8:24, 8:60].min(axis=-1) > 100).sum() > 30


def test_an_edit_follows_the_source(film: Any, web: Web) -> None:
    """A thing that moves in the source moves in the edit, at the same time."""
    video = web.put(clip(sliding, 2.0))
    frames = film(source_video=video, source_use="edit", shots=(Shot("", 2),)).frames
    rows = slice(60, 120)
    places = [
        columns((frame[rows, :, 1] > frame[rows, :, 0] + 35) & (frame[rows, :, 1] > frame[rows, :, 2] + 10))
        for frame in (frames[0], frames[24], frames[47])
    ]
    assert np.diff(places) == pytest.approx([48, 46], abs=10)


@pytest.mark.parametrize("way", [1, -1])
def test_a_picture_moves_as_the_video_does(film: Any, web: Web, way: int) -> None:
    """The picture moves right as the content of the video does; the film has the picture's shape."""
    picture = Image.new("RGB", (90, 90), (70, 70, 90))
    ImageDraw.Draw(picture).rectangle((34, 34, 56, 56), fill=GREEN)
    video = web.put(clip(sliding if way > 0 else lambda seconds: sliding(seconds)[:, ::-1].copy(), 1.0))
    drawn = film(first_frame=web.put(picture), source_video=video, source_use="motion", shots=(Shot("", 1),))
    assert drawn.size == (180, 180)
    places = [columns((frame[60:120, ..., 1] > 150) & (frame[60:120, ..., 0] < 90)) for frame in drawn.frames]
    assert places[0] == pytest.approx(90, abs=3)
    assert places[-1] - places[0] == pytest.approx(way * 24 / 160 * 180, abs=5)


@pytest.mark.parametrize("use", ["edit", "motion"])
def test_the_sound_of_the_source(film: Any, web: Web, use: str) -> None:
    """The source's sound is kept in 48 kHz stereo and ends with the film; without it there is the model's."""
    loud = web.put(clip(plain(RED), 3.0, tone=700, sample_rate=44_100))
    silent = web.put(clip(plain(RED), 3.0))
    fields = {"source_use": use, "first_frame": web.put(RED) if use == "motion" else ""}
    kept = film(source_video=loud, keeps_source_sound=True, has_sound=True, **fields)
    assert kept.sound == [("aac", 48_000)]
    assert kept.seconds == pytest.approx(1, abs=0.001)
    assert kept.pitch == pytest.approx(700, abs=3)
    assert film(source_video=loud, **fields).sound == []
    assert film(source_video=silent, keeps_source_sound=True, **fields).sound == []
    made = film(source_video=silent, keeps_source_sound=True, has_sound=True, **fields)
    assert made.pitch < 690


@pytest.mark.slow
def test_the_watermark(film: Any) -> None:
    """A watermark is a small text at the lower right; the mark SANDBOX stays at the upper left."""
    plain_frame, marked = (film(draft=False, has_watermark=has).frames[0] for has in (False, True))
    changed = np.abs(marked - plain_frame).max(axis=-1) > 30
    rows, across = np.nonzero(changed)
    assert changed.sum() > 150
    assert rows.min() > 0.92 * 720
    assert across.min() > 0.85 * 1280
    assert (marked[47:80, 52:170].min(axis=-1) > 150).sum() > 150


@pytest.mark.slow
def test_the_facts(film: Any) -> None:
    """The facts of the order are the small line beneath the prompt."""
    some, more = (film(draft=False, facts=facts).frames[0] for facts in ((), FACTS))
    line = slice(640, 680), slice(52, 300)
    assert ((more[line].min(axis=-1) > 140).sum()) > (some[line].min(axis=-1) > 140).sum() + 200


def test_each_shot_shows_the_references(film: Any, web: Web) -> None:
    """Several shots have their own scenery; the reference is seen in all of them."""
    shots = (Shot("sea", 1), Shot("night", 1))
    frames = film(shots=shots, references=(web.put(MAGENTA),)).frames
    assert len(frames) == 48
    assert difference(frames[23], frames[24]) > 15
    assert min(near(frame, MAGENTA).sum() for frame in frames[::6]) > 500


@pytest.mark.parametrize("field", ["first_frame", "references", "elements"])
def test_a_picture_that_is_missing(film: Any, web: Web, field: str) -> None:
    """The error for any picture that cannot be fetched names its URL and the reason."""
    url = f"{web.url}/nothing"
    value = {"first_frame": url, "references": (url,), "elements": (Element("koi", (web.put(RED), url)),)}
    with pytest.raises(UnusablePicture, match=f"{url} answered 404"):
        film(**{field: value[field]})


@pytest.mark.parametrize("use", ["reference", "edit", "motion"])
def test_a_video_that_is_no_video(film: Any, web: Web, use: str) -> None:
    """The error for a source video, in any use, names its URL and the reason."""
    url = web.put(b"<html>")
    with pytest.raises(UnusableVideo, match=f"{url} is not a readable"):
        film(source_video=url, source_use=use, first_frame=web.put(RED) if use == "motion" else "")


@pytest.mark.slow
@pytest.mark.parametrize("field", ["references", "source_video"])
def test_the_task_fails_with_the_reason(web: Web, tmp_path: Path, field: str) -> None:
    """In the drawing process, content that cannot be used is the error of the task, not a crash."""
    url = f"{web.url}/nothing"
    fields: dict[str, Any] = {field: (url,) if field == "references" else url}
    failure = Job().run(Order(SHOT, source_use="reference", **fields), tmp_path / "film.mp4", draft=True)
    assert failure is not None
    assert failure.code == "upstream_bad_request"
    assert f"{url} answered 404" in failure.message


@pytest.mark.slow
def test_only_a_draft_without_urls_is_cached(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft is drawn once, unless it shows what stands at a URL, which may have changed."""
    drafts: dict[str, bytes] = {}
    monkeypatch.setattr(render_pool, "_drafts", drafts)
    for order, cached in ((Order(SHOT), 1), (Order(SHOT, references=(web.put(RED),)), 1)):
        assert Job().run(order, tmp_path / "film.mp4", draft=True) is None
        assert len(drafts) == cached
    assert Job().run(Order(SHOT), tmp_path / "again.mp4", draft=True) is None
    assert (tmp_path / "again.mp4").read_bytes() == next(iter(drafts.values()))


def test_a_variation_changes_the_light_over_the_same_scene(tmp_path: Path) -> None:
    """Equal variations give equal pictures; another one moves the light and the boat."""
    films = []
    for number, variation in enumerate((7, 7, 8)):
        render(Order(SHOT, variation=variation), tmp_path / f"{number}.mp4", draft=True)
        films.append(Film(tmp_path / f"{number}.mp4"))
    assert difference(films[0].frames[0], films[1].frames[0]) < 0.5
    assert difference(films[0].frames[0], films[2].frames[0]) > 2


def test_a_variation_of_a_picture_begins_with_the_picture(tmp_path: Path, web: Web) -> None:
    """A film that begins with a picture of the user shows it unchanged at first, then in another light."""
    picture = web.put((120, 120, 120), (320, 180))
    films = []
    for variation in (0, 5):
        render(Order(SHOT, first_frame=picture, variation=variation), tmp_path / "film.mp4", draft=True)
        films.append(Film(tmp_path / "film.mp4"))
    assert difference(films[0].frames[0], films[1].frames[0]) < 1
    assert difference(films[0].frames[12], films[1].frames[12]) > 4
