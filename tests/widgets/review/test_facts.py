"""The facts on a tile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.i18n import set_locale
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgement
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.review.facts import Facts, facts_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def entry(key: str, **columns: Any) -> Entry:
    """Return a finished task; ``request`` holds what differs from the others."""
    request = {"model": "kling-v3", "prompt": "A koi", **columns.pop("request", {})}
    fields: dict[str, Any] = {"status": "completed", "submitted_at": NOON, "file": f"{key}.mp4"}
    return Entry(key, "https://qingbo.dev/v1", model="kling-v3", request=request, **{**fields, **columns})


def facts(folder: Path, *entries: Entry, rating: int | None = None, blind: bool = False) -> list[Facts]:
    """Return the facts of the tiles of a page."""
    page = [(each, Judgement(rating)) for each in entries]
    return list(facts_of(page, Library(folder), blind=blind).values())


def test_what_matters(tmp_path: Path) -> None:
    """A tile has stars, length and shape, model and day, and the cost if it is known."""
    task = entry("a", request={"duration": 10, "aspect_ratio": "9:16"}, cost=175_000, contract="2026-11")
    (shown,) = facts(tmp_path, task, rating=4)
    day = f"{NOON.astimezone():%Y-%m-%d}"
    assert shown == Facts("A koi", ("★★★★☆ · 10 s · 9:16", f"kling-v3 · {day}", "$0.35 · $0.035 a second"))
    (plain,) = facts(tmp_path, entry("b"))
    assert plain.lines[0] == "5 s · 16:9"
    assert len(plain.lines) == 2, "a cost that is not known was shown"


def test_what_has_no_video_says_its_status(tmp_path: Path) -> None:
    """The status stands where the stars would; unknown requests leave out what they would say."""
    (failed,) = facts(tmp_path, entry("a", status="failed", file=None))
    assert failed.lines[0].startswith("Failed")
    (unknown,) = facts(
        tmp_path, Entry("b", "unknown", "task-9", status="completed", submitted_at=NOON, file="b.mp4")
    )
    assert unknown.title == "task-9"
    assert unknown.lines == (f"{NOON.astimezone():%Y-%m-%d}",)


def test_tiles_of_one_prompt_say_how_they_differ(tmp_path: Path) -> None:
    """Tasks of one prompt have what differs between them, which is not said twice; others have nothing."""
    shown = facts(
        tmp_path,
        entry("a", request={"duration": 10, "mode": "pro"}),
        entry("b", request={"duration": 5}),
        entry("c", request={"prompt": "A heron", "duration": 10}),
        entry("d", request={"prompt": "A crane", "cfg_scale": 0.4}),
        entry("e", request={"prompt": "A crane"}),
    )
    assert [each.difference for each in shown] == [
        "10 s · pro, 1080p",
        "5 s · std, 720p",
        "",
        "CFG scale 0.4",
        "CFG scale default",
    ]
    assert shown[0].lines[0] == "16:9"
    assert shown[2].lines[0] == "10 s · 16:9"


def test_tiles_of_one_request_say_when_it_was_submitted(tmp_path: Path) -> None:
    """Equal requests have the day or minute, and their order; the order is that of the library."""

    def after(**later: int) -> datetime:
        return NOON + timedelta(**later)

    def differences(*entries: Entry) -> list[str]:
        return [each.difference for each in facts(tmp_path, *entries)]

    variations = [entry(f"v{n}", submitted_at=after(seconds=n)) for n in range(4)]
    assert differences(*variations[::-1]) == ["4 of 4", "3 of 4", "2 of 4", "1 of 4"]
    library = Library(tmp_path)
    for each in variations:
        library.add(each)
    library.add(entry("other", request={"prompt": "A heron"}))
    noon = NOON.astimezone()
    assert differences(variations[3], variations[1]) == ["4 of 4", "2 of 4"], (
        "a tile has another number on a page that lacks some of the variations"
    )
    later = entry("later", submitted_at=after(minutes=20))
    assert differences(later, *variations[:2]) == [
        f"{later.submitted_at.astimezone():%H:%M}",
        f"{noon:%H:%M} · 1 of 4",
        f"{noon:%H:%M} · 2 of 4",
    ]
    assert differences(variations[0], entry("day", submitted_at=after(days=1))) == [
        f"{noon:%Y-%m-%d %H:%M}",
        f"{after(days=1).astimezone():%Y-%m-%d %H:%M}",
    ]
    longer = entry("long", request={"duration": 10})
    assert differences(longer, *variations[:2]) == ["10 s", "5 s · 1 of 4", "5 s · 2 of 4"]
    resumed = [
        Entry(key, "unknown", request={"prompt": "A koi", "unknown": 1}, submitted_at=NOON) for key in "xy"
    ]
    assert differences(*resumed) == ["1 of 2", "2 of 2"]
    set_locale("zh")
    assert differences(*resumed) == ["第 1 个，共 2 个", "第 2 个，共 2 个"]


def test_the_number_of_videos(tmp_path: Path) -> None:
    """A task with several saved videos says how many."""
    for name in ("a.mp4", "a-2.mp4", "a-3.webm", "b.mp4", "b-21.mp4"):
        (tmp_path / name).write_bytes(b"")
    assert [each.count for each in facts(tmp_path, entry("a"), entry("b"), entry("gone"))] == [3, 1, 1]
    assert facts(tmp_path / "not there", entry("a"))[0].count == 1


@pytest.mark.parametrize("rating", [None, 3])
def test_blind(tmp_path: Path, rating: int | None) -> None:
    """A blind tile has no fact before the rating, and is no reason for a difference on another one."""
    (tmp_path / "a-2.mp4").write_bytes(b"")
    shown = facts(tmp_path, entry("a", request={"mode": "pro"}), entry("b"), rating=rating, blind=True)
    texts = [str(each) for each in shown]
    if rating is None:
        assert not any(word in text for text in texts for word in ("koi", "kling", "16:9", "pro", "2026"))
        assert {each.count for each in shown} == {1}
    else:
        assert [each.difference for each in shown] == ["pro, 1080p", "std, 720p"]
