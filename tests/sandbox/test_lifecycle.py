"""How a task ages, read off the plan: nothing here waits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from qingbo_widgets.sandbox.lifecycle import Timeline, timeline

STD: dict[str, Any] = {"model": "kling-v3", "prompt": "x"}
LONGEST: dict[str, Any] = {**STD, "duration": 15, "extra": {"mode": "pro"}}
SEEDS = range(200)


def progress(plan: Timeline) -> list[int]:
    """The progress at a thousand moments from before the beginning to after the end."""
    return [plan.at(plan.ends * step / 1000) for step in range(-10, 1100)]


@pytest.mark.parametrize("body", [STD, LONGEST], ids=["shortest", "longest"])
@pytest.mark.parametrize("speed", [1, 10])
def test_it_takes_as_long_as_promised(body: dict[str, Any], speed: float) -> None:
    """2 to 3 s in the queue and 20 s in all, up to 60 for long ones in pro; ten times faster at speed 10."""
    for seed in SEEDS:
        plan = timeline(body, seed, speed)
        assert 2 <= plan.starts * speed <= 3
        assert 18 <= plan.ends * speed <= 60
        assert plan.starts < plan.fails < plan.ends
    assert all(timeline(STD, seed).ends < 22 for seed in SEEDS)


def test_longer_and_pro_take_longer() -> None:
    """With the same luck, ten seconds take longer than five, pro longer than std, and shots as their sum."""
    ten, pro = {**STD, "duration": 10}, {**STD, "extra": {"mode": "pro"}}
    shots = {"model": "kling-v3", "extra": {"shot_1_duration": 5, "shot_2_duration": 5}}
    for seed in SEEDS:
        base = timeline(STD, seed).ends
        assert base < timeline(ten, seed).ends
        assert base < timeline(pro, seed).ends
        assert timeline(shots, seed) == timeline(ten, seed)


def test_progress_never_falls_and_never_says_100() -> None:
    """0 in the queue, rising from there, and 100 is not the plan's to say."""
    for seed in SEEDS:
        plan = timeline(LONGEST, seed)
        seen = progress(plan)
        assert seen == sorted(seen)
        assert seen[0] == plan.at(plan.starts) == 0
        assert seen[-1] <= 99


def test_progress_is_uneven() -> None:
    """It stands still for whole stretches and leaps over many percents, as a real one does."""
    stands = leaps = 0
    for seed in SEEDS:
        seen = progress(timeline(STD, seed))
        steps = [after - before for before, after in pairwise(seen)]
        working = steps[150:900]
        stands += any(not any(working[at : at + 60]) for at in range(len(working) - 60))
        leaps += max(seen[at + 20] - seen[at] for at in range(len(seen) - 20)) >= 6
    assert stands > len(SEEDS) / 2
    assert leaps > len(SEEDS) / 2


def test_equal_seeds_give_equal_plans() -> None:
    """A plan is a function of the request, the seed and the speed."""
    assert timeline(STD, 1) == timeline(STD, 1) != timeline(STD, 2)
