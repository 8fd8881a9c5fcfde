"""The cost of a second of video, and of each one that is worth keeping."""

from __future__ import annotations

from qingbo_widgets.library.worth import Video, Worth, worth_of

DEAR, CHEAP = Video(200_000, 5, rating=5), Video(50_000, 10, rating=4)
POOR, FAILED = Video(50_000, 5, rating=2), Video(0, None)


def test_a_video_that_is_not_worth_keeping_makes_the_kept_ones_dearer() -> None:
    """The cost of a kept video includes everything that was paid to get it."""
    worth = worth_of([DEAR, CHEAP, POOR, FAILED], "2026-11")
    assert (worth.tasks, worth.quota, worth.kept) == (4, 300_000, 2)
    assert worth.per_kept == 150_000
    assert worth.per_second == 15_000
    assert (worth.text(worth.per_second), worth.text(worth.per_kept)) == ("$0.03", "$0.30")


def test_what_is_not_known_is_left_out() -> None:
    """A cost without a length, or a length without a cost, would give a wrong cost of a second."""
    worth = worth_of([CHEAP, Video(None, 30, rating=1), Video(900_000, None)], "2026-11")
    assert worth.per_second == 5_000
    assert worth.per_kept == 950_000
    assert worth_of([Video(None, 5)], "2026-11") == Worth("2026-11", 1, None, 0, None, None)
    assert worth_of([], "2026-11").text(None) == ""


def test_units_of_a_contract_without_a_rate() -> None:
    """Contract 2026-04 does not state what a unit costs."""
    assert worth_of([CHEAP], "2026-04").text(5_000) == "5,000 units of quota"
