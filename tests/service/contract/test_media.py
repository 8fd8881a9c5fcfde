"""The pictures and videos in a request: values of any kind, and ``image`` for the first frame."""

from __future__ import annotations

from collections import deque
from pathlib import Path, PurePosixPath
from typing import Any

import IPython.display
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.service.contract.media import Medium, media_of, with_media
from qingbo_widgets.service.contract.values import LocalMedia

PICTURE = Image.new("RGB", (4, 4))

#: Values of ``image_urls``, with the places that each becomes.
PLACES: list[tuple[Any, tuple[Any, ...]]] = [
    ("a.png", ("a.png",)),
    (PurePosixPath("a b.png"), ("a b.png",)),
    (["a.png", "b.png"], ("a.png", "b.png")),
    ((one for one in ("a.png", "b.png")), ("a.png", "b.png")),
    (deque(["a.png"]), ("a.png",)),
    (np.array(["a.png", "b.png"]), ("a.png", "b.png")),
    (pd.Series(["a.png"]), ("a.png",)),
    (None, ()),
    ("", ()),
    ([], ()),
]


@pytest.mark.parametrize(("value", "places"), PLACES, ids=lambda value: type(value).__name__)
def test_places_are_texts(value: Any, places: tuple[Any, ...]) -> None:
    """Every common collection of URLs and paths becomes a tuple of texts."""
    assert qw.VideoRequest(prompt="x", image_urls=value).image_urls == places


@pytest.mark.parametrize(
    "value", [PICTURE, np.zeros((4, 4, 3), np.uint8), b"bytes", bytearray(b"b"), {1}.pop]
)
def test_a_picture_in_memory_is_one_picture(value: Any) -> None:
    """An array is not a list of its rows; the request can be hashed, compared, copied and shown."""
    request = qw.VideoRequest(prompt="x", image_urls=value)
    (picture,) = request.image_urls
    assert isinstance(picture, LocalMedia)
    assert picture.value is value
    assert request == request.replace(prompt="x")
    assert hash(request) == hash(request.replace())
    assert request != qw.VideoRequest(prompt="x", image_urls=value), "pictures in memory are not compared"
    assert type(value).__name__ in repr(request)
    assert "has no URL" in str(request.problems()[0])
    with pytest.raises(AttributeError):
        picture.value = b""


def test_an_image_of_ipython_with_a_url_is_its_url() -> None:
    """It has no content of its own."""
    image = IPython.display.Image(url="https://example.com/koi.png")
    assert qw.VideoRequest(prompt="x", image=image).image_urls == ("https://example.com/koi.png",)


def test_scalars_are_no_pictures() -> None:
    """A number in place of a picture is called one."""
    assert "3 is not a URL" in str(qw.VideoRequest(prompt="x", image_urls=3).problems()[0])


IMAGES: list[tuple[str, Any, dict[str, Any]]] = [
    ("kling-v3", "a.png", {"image_urls": ("a.png",)}),
    ("kling-v3", ["a.png", "b.png"], {"image_urls": ("a.png",), "last_frame": "b.png"}),
    ("kling-v2-6", ["a.png", "b.png"], {"image_urls": ("a.png", "b.png")}),
    ("kling-v3-omni", "a.png", {"image_with_roles": ({"url": "a.png", "role": "first_frame"},)}),
    ("kling-v3-motion-control", Path("a.png"), {"image_urls": ("a.png",)}),
    ("unlisted", "a.png", {"image_urls": ("a.png",)}),
]


@pytest.mark.parametrize(("model", "image", "fields"), IMAGES)
def test_image_is_the_first_frame(model: str, image: Any, fields: dict[str, Any]) -> None:
    """``image`` goes where the model takes a first frame; a second picture is the last frame."""
    request = qw.VideoRequest(model, "x", image=image)
    assert {name: request.given[name] for name in fields} == fields
    assert set(request.given) == {"model", "prompt", *fields}
    assert qw.VideoRequest(model, "x").replace(image=image).given == request.given


def test_image_beside_its_field_is_a_mistake() -> None:
    """Two first frames are one too many."""
    with pytest.raises(TypeError, match="image and image_urls are the same"):
        qw.VideoRequest(prompt="x", image="a.png", image_urls="b.png")
    assert qw.VideoRequest(prompt="x", image=None, image_urls="b.png").image_urls == ("b.png",)
    with pytest.raises(TypeError, match="did you mean image"):
        qw.VideoRequest(prompt="x", imge="a.png")  # type: ignore[call-arg]  # the mistake


def test_each_medium_is_found_and_changed() -> None:
    """Frames, roles, elements and masks are found in their order, with the number that a message names."""
    request = qw.VideoRequest(
        "kling-v1-6",
        "x",
        image_urls=["a.png"],
        static_mask="still.png",
        dynamic_masks=[qw.DynamicMask("one.png", ()), qw.DynamicMask("two.png", ())],
        element_list=[{"name": "robot", "element_input_urls": ["front.png", PICTURE]}],
        callback_url="https://example.com/hook",
    )
    found = {(medium.field, medium.number, str(medium.value)) for medium in media_of(request)}
    assert found == {
        ("image_urls", 0, "a.png"),
        ("static_mask", 0, "still.png"),
        ("dynamic_masks", 1, "one.png"),
        ("dynamic_masks", 2, "two.png"),
        ("element_list", 1, "front.png"),
        ("element_list", 1, "<Image>"),
    }

    def numbered(medium: Medium) -> str:
        return f"{medium.field}-{medium.number}"

    changed = with_media(request, numbered)
    assert changed.dynamic_masks[1].mask_url == "dynamic_masks-2"
    assert changed.element_list[0]["element_input_urls"] == ("element_list-1", "element_list-1")
    assert changed.callback_url == request.callback_url
    assert with_media(request, lambda medium: medium.value) == request
