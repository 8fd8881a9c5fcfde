"""``request_templates``: columns of many requests are what resolving each request on its own would give."""

from __future__ import annotations

import math
from typing import Any

from qingbo_widgets.library.dataframe import request_columns
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.request_templates import RequestColumns
from qingbo_widgets.library.requests import readable_part_of

PICTURE, FILM, BEACH = "https://e.com/a.png", "https://e.com/a.mp4", "https://e.com/beach.png"
STAND_IN = "\ue0f0\ue0f10\ue0f0\ue0f1"
SECOND_STAND_IN = STAND_IN.replace("0", "1")
ROLE = {"url": PICTURE, "role": "first_frame"}
DAWN = {"prompt": "dawn", "duration": 3}
#: Requests of each kind of field: texts, URLs, shots, lists of objects, damaged values, and unknown fields.
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("kling-v3", "2026-04", {"prompt": STAND_IN}),
    ("kling-v3", "2026-04", {"prompt": f"a {SECOND_STAND_IN}", "negative_prompt": "blurred"}),
    ("kling-v3", "2026-04", {"prompt": "a koi"}),
    ("kling-v3", "2026-04", {"prompt": "a cat"}),
    ("kling-v3", "2026-04", {"prompt": ""}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "negative_prompt": "a koi"}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "negative_prompt": "a cat"}),
    ("kling-v3", "2026-04", {"prompt": STAND_IN, "negative_prompt": "blurred"}),
    ("kling-v3", "2026-04", {"prompt": "blurred", "negative_prompt": STAND_IN}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "duration": 5}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "duration": 5.0}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "duration": True}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "duration": "10", "mode": "pro", "cfg_scale": 0.5}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "image_urls": [PICTURE], "last_frame": PICTURE}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "image_urls": [PICTURE], "last_frame": BEACH}),
    ("kling-v3", "2026-04", {"shots": [DAWN, {"prompt": "dawn", "duration": 4}]}),
    ("kling-v3", "2026-04", {"shots": [DAWN, {"prompt": "dusk", "duration": 4}]}),
    ("kling-v1", "2026-04", {"prompt": "a koi", "static_mask": PICTURE,
                             "dynamic_masks": [{"mask": PICTURE, "trajectories": [{"x": 1, "y": 2}]}]}),
    ("kling-v1", "2026-04", {"prompt": "a koi", "camera_control": {"type": "simple", "config": {"pan": 3}}}),
    ("kling-v3", "2026-11", {"prompt": "a koi"}),
    ("kling-v3", "2026-11", {"prompt": "a koi", "mode": "pro", "enable_audio": True}),
    ("kling-v3-omni", "2026-11", {"prompt": "a koi", "action": "edit", "video_urls": [FILM]}),
    ("kling-v3", "2026-11", {"prompt": "a koi", "image_with_roles": [ROLE]}),
    ("kling-v3", "2026-11", {"multi_shot": True, "multi_prompt": [
        {"index": 1, "prompt": "dawn", "duration": 3}, {"index": 2, "prompt": "dusk", "duration": 4}]}),
    ("kling-v3", "2031-01", {"prompt": "a koi", "seed": 7, "mode": "pro"}),
    ("kling-v3", "2026-04", {"prompt": {"a": 1}, "mode": ["pro"], "duration": "long"}),
    ("kling-v3", "2026-04", {"prompt": "a koi", "image_urls": "not a list", "shots": 5}),
    ("", "2026-04", {}),
    ("kling-v3", "2026-04", None),
    ("a model of no contract", "2026-11", {"prompt": "a koi", "resolution": "8k"}),
]  # fmt: skip


def entries() -> list[Entry]:
    """Return two tasks for each request, of which the second finds its kind known."""
    fields = [(model, contract, request) for model, contract, request in REQUESTS for _ in range(2)]
    return [
        Entry(f"{number:03}", "sandbox", model=model, contract=contract, status="failed", request=request)
        for number, (model, contract, request) in enumerate(fields)
    ]


def resolved(entry: Entry) -> dict[str, Any]:
    """Return the columns of one request, resolved on its own."""
    return request_columns(readable_part_of(entry), entry.contract)


def test_each_request_is_as_if_resolved_alone() -> None:
    """Texts get back to their fields, also the same text in two, and one that looks like a stand-in."""
    columns = RequestColumns(resolved)
    for entry in entries():
        columns.add(entry.model, entry.contract, entry.request)
    table = {name: columns.values(name) for name in columns.names}
    for row, entry in enumerate(entries()):
        expected = resolved(entry)
        found = {name: values[row] for name, values in table.items() if values[row] is not math.nan}
        assert found == expected
        assert {name: type(value) for name, value in found.items()} == {
            name: type(value) for name, value in expected.items()
        }


def test_requests_of_one_kind_are_resolved_once() -> None:
    """A thousand prompts cost as much as one; another model, contract or other field is resolved anew."""
    resolutions: list[Entry] = []

    def counted(entry: Entry) -> dict[str, Any]:
        resolutions.append(entry)
        return resolved(entry)

    columns = RequestColumns(counted, without=frozenset({"prompt"}))
    for number in range(1000):
        request = {"model": "kling-v3", "prompt": f"koi {number}", "mode": "pro" if number % 2 else "std"}
        columns.add("kling-v3", "2026-04", request)
    assert len(resolutions) == 2
    assert columns.kinds("mode") == ["std", "pro"]
    assert columns.values("mode") == ["std", "pro"] * 500
    assert "prompt" not in columns.names
