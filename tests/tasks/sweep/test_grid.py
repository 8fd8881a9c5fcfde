"""``grid``: expansion of lists of values, or of a table, into the requests of a sweep."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingbo_widgets import DynamicMask, InvalidRequest, Shot, VideoRequest
from qingbo_widgets.tasks.sweep.grid import make_grid
from qingbo_widgets.tasks.sweep.plain import skipped_as_json
from tests.descriptions import INVENTED, NUMBERS


class Frame:
    """Minimal DataFrame with columns and ``to_dict``; empty cells are NaN."""

    def __init__(self, *records: dict[str, object]) -> None:
        self.columns = list(records[0])
        self._records = list(records)

    def to_dict(self, orient: str) -> list[dict[str, object]]:
        """Return the rows."""
        assert orient == "records"
        return self._records


def test_every_combination_in_the_order_given() -> None:
    """Lists vary, other values are constant; the last list varies fastest, and ``repeat`` fastest of all."""
    grid = make_grid(prompt=["koi", "crane"], model="kling-v1", cfg_scale=(0.3, 0.7), mode="pro", repeat=2)
    assert [dict(one.values) for one in grid.combinations][:4] == [
        {"prompt": "koi", "cfg_scale": 0.3, "repeat": 1},
        {"prompt": "koi", "cfg_scale": 0.3, "repeat": 2},
        {"prompt": "koi", "cfg_scale": 0.7, "repeat": 1},
        {"prompt": "koi", "cfg_scale": 0.7, "repeat": 2},
    ]
    assert len(grid.combinations) == 8
    assert {one.request.mode for one in grid.combinations} == {"pro"}
    assert grid.axes == {"prompt": ("koi", "crane"), "cfg_scale": (0.3, 0.7), "repeat": (1, 2)}
    assert grid.summary() == "8 tasks (Prompt 2 × CFG scale 2 × Repeat 2), 40 s of video"


def test_a_generator_is_read_once() -> None:
    """Any iterable varies a field."""
    grid = make_grid(prompt="koi", duration=(seconds for seconds in range(3, 6)))
    assert [one.request.duration for one in grid.combinations] == [3, 4, 5]


def test_fields_that_are_lists_vary_by_a_list_of_lists() -> None:
    """One list of shots or of images is a single value; a list of lists varies."""
    one = make_grid(shots=[("A koi", 3), ("A crane", 4)])
    assert [c.request.shots for c in one.combinations] == [(Shot("A koi", 3), Shot("A crane", 4))]
    two = make_grid(shots=[[("A", 3), ("B", 4)], [Shot("C", 5), Shot("D", 6)]])
    assert [c.request.seconds for c in two.combinations] == [7, 11]
    image = "https://example.com/koi.png"
    assert len(make_grid(prompt="x", image_urls=[image]).combinations) == 1
    assert len(make_grid(prompt="x", image_urls=[[image], []]).combinations) == 2


_IMAGE = "https://example.com/koi.png"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_with_roles", [{"url": _IMAGE, "role": "first_frame"}]),
        ("image_with_roles", [(_IMAGE, "first_frame"), (_IMAGE, "last_frame")]),
        ("image_with_roles", ((_IMAGE, "reference"),)),
        ("element_list", [("koi", "a red koi", (_IMAGE, _IMAGE))]),
        ("element_list", [["koi", "a red koi", [_IMAGE, _IMAGE]]]),
        ("multi_prompt", [("A koi", np.int64(3)), ("A crane", np.int64(4))]),
        ("multi_prompt", [Shot("A koi", 3), {"prompt": "A crane", "duration": 4}]),
        ("shots", [("A koi", np.int64(3)), ("A crane", np.int64(4))]),
        ("shots", [["A koi", 3], ["A crane", 4]]),
        ("dynamic_masks", [DynamicMask(_IMAGE, ((0, 0), (9, 9)))]),
    ],
)
def test_a_list_of_objects_is_one_value(name: str, value: Any) -> None:
    """A list that a request takes is one value in every spelling; a list of such lists varies the field."""
    facts: dict[str, Any] = {"model": "unheard"}
    if name == "dynamic_masks":
        facts |= {"model": "kling-v1-6", "image_urls": [_IMAGE]}
    facts |= {} if name == "shots" else {"prompt": "x"}
    contract = "2026-04" if name in ("shots", "dynamic_masks") else "2026-11"
    request = VideoRequest(**facts, **{name: value})
    for given, count in ((value, 1), ([value, value], 2)):
        fields = {**facts, name: given}
        grid = make_grid(contract=contract, **fields)
        assert [one.request for one in grid.combinations] == [request] * count


def test_an_unsupported_combination_is_refused_by_name() -> None:
    """The message names the field, the reason and one combination."""
    with pytest.raises(InvalidRequest, match=r"cfg_scale: 0\.3 .*kling-v3.*'koi'.* and 1 more") as caught:
        make_grid(prompt=["koi", "crane"], model=["kling-v1", "kling-v3"], cfg_scale=0.3)
    assert "skip_invalid=True" in str(caught.value)


def test_unsupported_combinations_can_be_skipped() -> None:
    """Skipped combinations are returned with their reasons."""
    grid = make_grid(prompt="koi", model=["kling-v1", "kling-v3"], cfg_scale=[0.3, 0.7], skip_invalid=True)
    assert {one.request.model for one in grid.combinations} == {"kling-v1"}
    assert [one.values["model"] for one in grid.skipped] == ["kling-v3", "kling-v3"]
    assert all(one.problems[0].field == "cfg_scale" for one in grid.skipped)
    assert "2 skipped" in grid.summary()


def test_skipping_everything_is_an_error() -> None:
    """A grid without any combination raises."""
    with pytest.raises(InvalidRequest):
        make_grid(prompt="koi", model="kling-v3", duration=[99, 100], skip_invalid=True)


def test_a_csv_of_prompts(tmp_path: Path) -> None:
    """Each row is a request; texts are parsed as field values, and empty cells leave the default."""
    path = tmp_path / "prompts.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "duration", "enable_audio", "cfg_scale", "model"])
        writer.writerow(["一条锦鲤, swimming", "10", "", "0.3", "kling-v1"])
        writer.writerow(["crane", "", "false", "", "kling-v3"])
    grid = make_grid(path, mode=["std", "pro"])
    first, _, third, _ = (one.request for one in grid.combinations)
    assert first == VideoRequest("kling-v1", "一条锦鲤, swimming", duration=10, cfg_scale=0.3)
    assert third == VideoRequest("kling-v3", "crane", enable_audio=False)
    assert [one.request.mode for one in grid.combinations] == ["std", "pro"] * 2


def test_a_data_frame() -> None:
    """NaN is an empty cell, and integers that pandas converted to floats become integers again."""
    grid = make_grid(Frame({"prompt": "koi", "duration": 3.0}, {"prompt": "crane", "duration": math.nan}))
    assert [one.request.duration for one in grid.combinations] == [3, 5]
    assert grid.combinations[1].values == {"prompt": "crane", "duration": None}


def test_rows_of_requests_and_prompts() -> None:
    """A list of prompts or requests is a table too; identical rows are distinguished by their number."""
    grid = make_grid(["koi", VideoRequest(prompt="crane", duration=10)])
    assert [one.request.seconds for one in grid.combinations] == [5, 10]
    named = VideoRequest("kling-v1", "crane", mode="std", duration=5, aspect_ratio="16:9", action="generate")
    assert make_grid(["koi", named]).axes.keys() == {"prompt", "model"}, "a form names every field"
    varied = make_grid([named], duration=[5, 10], mode=["std", "pro"])
    assert [one.request.duration for one in varied.combinations] == [5, 5, 10, 10]
    alike = make_grid(["koi", "koi"])
    assert [one.values for one in alike.combinations] == [{"row": 1}, {"row": 2}]


@pytest.mark.parametrize(
    ("arguments", "error", "pattern"),
    [
        ({"prompts": ["koi"]}, TypeError, "no parameter prompts; did you mean prompt"),
        ({"prompt": []}, ValueError, "prompt is empty"),
        ({"prompt": "koi", "repeat": 0}, ValueError, "repeat=0"),
        ({"prompt": "koi", "resolutoin": "720p"}, TypeError, "resolutoin; did you mean resolution"),
        ({"table": [{"prompt": "koi", "duraton": 1}]}, TypeError, "duraton; did you mean duration"),
        ({"table": ["koi"], "encoding": "gbk"}, TypeError, "encoding is for a CSV file"),
        ({"prompt": "koi", "encoding": "gbk"}, TypeError, "encoding is for a CSV file"),
        ({"table": [{"prompt": "koi", "seed": 1}]}, TypeError, "no parameter seed. It takes model"),
        ({"table": ["koi"], "prompt": "crane"}, TypeError, "in the table and as an argument"),
        ({"table": [], "mode": "pro"}, ValueError, "table is empty"),
        ({"table": {"prompt": "koi"}}, TypeError, "into a list"),
        ({"table": [7]}, TypeError, "not int"),
    ],
)
def test_mistakes_have_readable_errors(
    arguments: dict[str, Any], error: type[Exception], pattern: str
) -> None:
    """A wrong argument raises an error that names it."""
    with pytest.raises(error, match=pattern):
        make_grid(**arguments)


def test_a_row_that_is_too_long(tmp_path: Path) -> None:
    """An unquoted comma raises instead of creating a field without a name."""
    path = tmp_path / "prompts.csv"
    path.write_text("prompt,mode\nA koi, swimming,pro\n", encoding="utf-8")
    with pytest.raises(ValueError, match="row 2 has more cells"):
        make_grid(path)


def test_a_table_of_a_chinese_excel(tmp_path: Path) -> None:
    """A file that a Chinese Excel saved as CSV, in GBK, is read too."""
    file = tmp_path / "prompts.csv"
    file.write_bytes("prompt,mode\n一条锦鲤,pro\n纸船,std\n".encode("gbk"))
    assert [one.request.prompt for one in make_grid(file).combinations] == ["一条锦鲤", "纸船"]


@pytest.mark.parametrize("levels", [30, 600, pytest.param(50_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["camera_control", "shots", "dynamic_masks"])
@pytest.mark.parametrize("brackets", [("[", "]"), ("{", "}")], ids=["[]", "{}"])
def test_a_cell_of_brackets_is_a_problem_of_that_cell(
    tmp_path: Path, levels: int, name: str, brackets: tuple[str, str]
) -> None:
    """A value nested too deep for Python is reported or skipped like any wrong value."""
    opened, closed = brackets
    part = opened if opened == "[" else '{"a":'
    path = tmp_path / "prompts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        deep = part * levels + "1" + closed * levels if levels < 1000 else part * (100_000 // len(part))
        csv.writer(file).writerows([["prompt", name], ["koi", deep], ["crane", ""]])
    with pytest.raises(InvalidRequest) as caught:
        make_grid(path)
    assert name in {problem.field for problem in caught.value.problems}
    grid = make_grid(path, skip_invalid=True)
    assert [one.request.prompt for one in grid.combinations] == ["crane"]
    assert skipped_as_json(grid.skipped)[0]["values"][name] == deep


def test_a_cell_longer_than_the_field_limit(tmp_path: Path) -> None:
    """An unclosed quotation mark turns the rest into one cell, and the error names the file."""
    path = tmp_path / "prompts.csv"
    path.write_text('prompt\n"A koi' + " swims" * 30_000, encoding="utf-8")
    with pytest.raises(ValueError, match=r"prompts\.csv is not a table: field larger than field limit"):
        make_grid(path)


def test_a_prompt_is_not_a_table() -> None:
    """One prompt as the first argument is read as a file name, and the error explains the correct call."""
    with pytest.raises(FileNotFoundError, match=r"pass prompts as a list: sweep\(prompt=\[…\]\)"):
        make_grid("A koi in a pond")


def test_an_invented_parameter_is_a_column(described: Callable[[str], None], tmp_path: Path) -> None:
    """A column of a CSV file is read according to its description, with no other change."""
    described(INVENTED)
    table = tmp_path / "prompts.csv"
    table.write_text(
        "model,prompt,grain,duration\nkling-v9,a koi,coarse,12\nkling-v9,a heron,,5\n", encoding="utf-8"
    )
    first, second = make_grid(table).combinations
    assert first.request == VideoRequest("kling-v9", "a koi", grain="coarse", duration=12)  # type: ignore[call-arg]  # the test's own field
    assert second.request.grain == "fine", "an empty cell leaves the default"  # type: ignore[attr-defined]  # the test's own field
    with pytest.raises(InvalidRequest, match="grain: 'soft' is not one of fine, coarse"):
        make_grid(model="kling-v9", prompt="a koi", grain=["fine", "soft"])


def test_a_cell_names_a_choice_that_is_a_number(described: Callable[[str], None], tmp_path: Path) -> None:
    """A CSV file contains only text, but the request has the number."""
    described(NUMBERS)
    table = tmp_path / "prompts.csv"
    table.write_text("model,prompt,grain\nkling-v9,a koi,720\n", encoding="utf-8")
    (one,) = make_grid(table).combinations
    assert one.request.grain == 720  # type: ignore[attr-defined]  # the test's own field
