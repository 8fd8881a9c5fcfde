"""The arrangement of the pictures in front of a scene."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image

from qingbo_widgets.sandbox.drawing.film import blank
from qingbo_widgets.sandbox.drawing.gallery import Box, Exhibit, Gallery, arrange, sheet_of

ASPECTS = [1.78, 0.56, 1.0, 2.0, 0.5, 1.33, 1.33, 1.0, 1.78, 0.56, 1.0]


@pytest.mark.parametrize("count", range(1, len(ASPECTS) + 1))
@pytest.mark.parametrize(
    "area", [Box(52, 104, 1176, 300), Box(52, 104, 616, 850), Box(39, 78, 642, 400), Box(800, 90, 384, 250)]
)
def test_pictures_do_not_overlap(count: int, area: Box) -> None:
    """Up to eleven pictures lie inside the area, apart from each other, in their shapes and one height."""
    boxes = arrange(ASPECTS[:count], area, largest=300, gap=20, foot=24)
    assert [box.width / box.height for box in boxes] == pytest.approx(ASPECTS[:count])
    assert len({round(box.height, 6) for box in boxes}) == 1
    for box in boxes:
        assert box.left >= area.left - 1e-6
        assert box.left + box.width <= area.left + area.width + 1e-6
        assert box.top >= area.top - 1e-6
        assert box.top + box.height + 24 <= area.top + area.height + 1e-6
    for one, other in combinations(boxes, 2):
        apart = max(
            abs(one.left + one.width / 2 - other.left - other.width / 2) - (one.width + other.width) / 2,
            abs(one.top - other.top) - one.height,
        )
        assert apart >= 20 - 1e-6


def test_a_film_without_room_shows_none() -> None:
    """In a film that is too small for any picture, the pictures are left out, the video included."""
    exhibits = [Exhibit((16, 9)), Exhibit((8, 8), Image.new("RGB", (8, 8)), "@koi")]
    gallery = Gallery((320, 16), exhibits, bottom=4, is_beside=True)
    assert gallery.screen is None
    frame = blank(320, 16)
    before = frame.i420.copy()
    gallery.draw(frame, None)
    assert (frame.i420 == before).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_pictures_of_an_element(count: int) -> None:
    """The frontal picture of an element is the largest; each of the others is seen beside it."""
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)][:count]
    sheet = sheet_of([Image.new("RGB", (400, 400), colour) for colour in colours])
    shares = {colour: amount for amount, colour in sheet.getcolors() or []}
    assert set(colours) <= set(shares)
    assert all(shares[colours[0]] > 1.9 * shares[other] for other in colours[1:])
