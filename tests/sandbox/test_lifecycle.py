"""Tests of the life of a task, evaluated from its plan without waiting."""

from __future__ import annotations

import pytest

from qingbo_widgets.sandbox.lifecycle import Timeline, timeline
from qingbo_widgets.sandbox.order import Order, Shot

STD = Order((Shot("x", 5),))
LONGEST = Order((Shot("x", 15),), short_side=1080)
SEEDS = range(200)


def progress(plan: Timeline) -> list[int]:
    """Return the progress at a thousand times from before the start to after the end."""
    return [plan.at(plan.ends * step / 1000) for step in range(-10, 1100)]


@pytest.mark.parametrize("order", [STD, LONGEST], ids=["shortest", "longest"])
@pytest.mark.parametrize("speed", [1, 10])
def test_a_task_takes_as_long_as_documented(order: Order, speed: float) -> None:
    """A task is queued for 2 to 3 s and takes 20 to 60 s in all; at speed 10 it is ten times faster."""
    for seed in SEEDS:
        plan = timeline(order, seed, speed)
        assert 2 <= plan.starts * speed <= 3
        assert 18 <= plan.ends * speed <= 60
        assert plan.starts < plan.fails < plan.ends
    assert all(timeline(STD, seed).ends < 22 for seed in SEEDS)


def test_longer_and_larger_videos_take_longer() -> None:
    """With equal seeds, longer and larger videos take longer, and shots take as long as their sum."""
    ten, shots = Order((Shot("x", 10),)), Order((Shot("x", 5), Shot("y", 5)))
    full_hd, ultra_hd = (Order(STD.shots, short_side=side) for side in (1080, 2160))
    for seed in SEEDS:
        base = timeline(STD, seed).ends
        assert base < timeline(ten, seed).ends
        assert base < timeline(full_hd, seed).ends < timeline(ultra_hd, seed).ends
        assert timeline(shots, seed) == timeline(ten, seed)


def test_progress_never_falls_and_never_reaches_100() -> None:
    """Progress is 0 in the queue and then never falls; the plan never reaches 100."""
    for seed in SEEDS:
        plan = timeline(LONGEST, seed)
        seen = progress(plan)
        assert seen == sorted(seen)
        assert seen[0] == plan.at(plan.starts) == 0
        assert seen[-1] <= 99


def test_progress_follows_the_time() -> None:
    """The bar shows how much of the time has passed: it neither leaps nor waits at its end."""
    for seed in SEEDS:
        plan = timeline(STD, seed)
        for step in range(1000):
            passed = step / 1000
            shown = plan.at(plan.starts + passed * (plan.ends - plan.starts))
            assert abs(shown - 100 * passed) <= 5, (
                f"seed {seed}: the bar shows {shown} % when {100 * passed:.0f} % of the time has passed"
            )


def test_progress_is_uneven() -> None:
    """Progress changes its pace like that of a real task, so that an estimate of the end has to adapt."""
    for seed in SEEDS:
        seen = progress(timeline(STD, seed))[200:900]
        paces = [after - before for before, after in zip(seen, seen[50:], strict=False)]
        assert max(paces) > 1.3 * min(paces), f"seed {seed}: the bar moves as evenly as a clock"


def test_equal_seeds_give_equal_plans() -> None:
    """A plan is a function of the order, the seed and the speed."""
    assert timeline(STD, 1) == timeline(STD, 1) != timeline(STD, 2)
