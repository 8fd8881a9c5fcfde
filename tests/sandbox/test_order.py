"""The description of a video to draw, on its way to the drawing process."""

from __future__ import annotations

import json

from qingbo_widgets.sandbox.order import Element, Order, Shot

FULL = Order(
    shots=(Shot("a pond", 2), Shot("a koi", 3)),
    short_side=2160,
    aspect_ratio="9:16",
    has_sound=True,
    first_frame="http://a/first",
    last_frame="http://a/last",
    references=("http://a/1", "http://a/2"),
    elements=(Element("koi", ("http://a/front", "http://a/side")),),
    source_video="http://a/video",
    source_use="reference",
    keeps_source_sound=True,
    camera_control={"type": "simple", "config": {"zoom": 1.5}},
    static_mask="http://a/still",
    dynamic_masks=({"mask_url": "http://a/brush", "trajectories": [{"x": 1, "y": 2}]},),
    facts=("kling-v3-omni", "4k"),
    negative_prompt="people",
    has_watermark=True,
    seed=7,
)


def test_an_order_survives_json() -> None:
    """The drawing process gets the order as it was."""
    for order in (FULL, Order((Shot("x", 5),))):
        assert Order.from_dict(json.loads(json.dumps(order.as_dict()))) == order


def test_the_urls_of_an_order() -> None:
    """Every picture and video is listed, and nothing that is not given."""
    names = ("first", "last", "1", "2", "front", "side", "video", "still", "brush")
    assert FULL.urls == tuple(f"http://a/{name}" for name in names)
    assert Order((Shot("x", 5),)).urls == ()
    assert FULL.seconds == 5
