"""``schedule``: the next poll and the progress to draw, as pure functions.

The last tests follow hundreds of simulated tasks on a virtual clock and compare the schedule with its
promised bounds. They are seeded, so their results are the same on every machine.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.tasks.schedule import (
    History,
    next_delay,
    predicted_end,
    predicted_progress,
    retry_delay,
)
from tests.benchmarks import simulation

times = st.floats(0, 1e5, allow_nan=False)
answers = st.lists(st.tuples(times, st.integers(0, 100), st.booleans()), max_size=12)


def history_of(told, **known) -> History:
    """Return the history after responses of ``(time, progress, queued)``."""
    history = History(started=0.0, **known)
    for time, progress, queued in sorted(told):
        history = history.answered(time, progress, queued=queued)
    return history


@given(
    told=answers,
    later=times,
    durations=st.lists(st.floats(0, 1e6), max_size=5),
    failures=st.integers(0, 50),
    retry_after=st.none() | st.floats(0, 3600),
    floor=st.floats(0.1, 10),
)
def test_it_always_waits_a_sane_time(told, later, durations, failures, retry_after, floor):
    """For any responses, polls are never closer than the floor and never hours apart."""
    history = history_of(told, durations=tuple(durations), floor=floor)
    now = (history.last_response or 0.0) + later
    for _ in range(failures):
        history = history.failed(retry_after)
    assert floor <= next_delay(history, now) <= max(60.0, floor, retry_after or 0.0)


@pytest.mark.slow
@given(told=answers, steps=st.lists(st.floats(0, 500), max_size=20), durations=st.lists(times, max_size=5))
def test_the_bar_never_falls_and_never_arrives_before_the_task(told, steps, durations):
    """The bar never decreases, is at least the service's progress, and stays below 100."""
    history, shown = History(started=0.0, durations=tuple(durations)), 0.0
    for time, progress, queued in sorted(told):
        assert shown <= (shown := predicted_progress(history, time)) < 100.0
        history = history.answered(time, progress, queued=queued)
        assert max(shown, min(progress, 99)) <= (shown := predicted_progress(history, time)) < 100.0
    now = history.last_response or 0.0
    for step in steps:
        assert shown <= (shown := predicted_progress(history, now := now + step)) < 100.0


def test_it_asks_rarely_while_the_end_is_far_and_often_when_it_is_near():
    """At 10 % of a two-minute task the next poll is far off; at 98 % it is due at the floor."""
    far = history_of([(2.0, 1, False), (4.0, 3, False), (8.0, 6, False), (12.0, 10, False)])
    near = far.answered(60.0, 50).answered(100.0, 83).answered(117.6, 98)
    assert next_delay(far, 12.0) == 12.0
    assert next_delay(far.answered(60.0, 50), 60.0) > 20.0
    assert next_delay(near, 117.6) < 1.5 * near.floor


def test_a_nearly_certain_end_is_not_asked_for_just_before():
    """A poll half a second before the end would delay the next one; it is postponed until after the end."""
    history = History(started=0.0)
    for time in (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 80.0, 97.0):
        history = history.answered(time, int(time))
    end = predicted_end(history, 97.0)
    assert end is not None
    assert end <= 97.0 + next_delay(history, 97.0) < end + 1.5


def test_a_short_task_is_noticed_soon():
    """A young task is polled after 2, 4, 8, 16 s, whatever the durations of its kind."""
    history = History(started=0.0, durations=(280.0, 300.0, 290.0))
    moments, now = [], 0.0
    for _ in range(4):
        now += next_delay(history, now)
        moments.append(now)
        history = history.answered(now, 0)
    assert moments == [2.0, 4.0, 8.0, 16.0]


def test_retry_after_is_obeyed_and_failures_back_off():
    """A requested wait of 17 s is honoured; after failures the intervals grow up to 30 s."""
    assert next_delay(History(started=0.0).failed(17.0), 0.0) == 17.0
    assert [retry_delay(n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@given(failures=st.integers(1, 100), retry_after=st.floats(0, 3600))
def test_a_service_that_asks_for_no_wait_is_not_asked_in_a_hot_loop(failures, retry_after):
    """``Retry-After: 0``, or a past date, never shortens our own back-off."""
    assert retry_delay(failures, retry_after) == max(retry_delay(failures), retry_after)


def test_an_answer_ends_the_back_off():
    """After one good response the normal schedule applies again."""
    history = History(started=0.0).failed().failed().failed(120.0).answered(50.0, 45)
    assert history.failures == 0
    assert next_delay(history, 50.0) < 60


def test_habit_predicts_before_there_is_progress_and_progress_takes_over():
    """Durations from the library dominate at first, the task's own rate later."""
    history = History(started=0.0, durations=(95.0, 100.0, 105.0))
    assert predicted_end(history, 1.0) == pytest.approx(100.0, rel=0.05)
    slow = history.answered(20.0, 9).answered(31.0, 15).answered(100.0, 49).answered(180.0, 89)
    assert predicted_end(slow, 180.0) == pytest.approx(200.0, rel=0.04)


def test_one_odd_duration_does_not_spoil_the_habit():
    """A task whose end was noticed a day late does not affect the prediction."""
    history = History(started=0.0, durations=(95.0, 100.0, 105.0, 98.0, 86_400.0))
    assert predicted_end(history, 1.0) == pytest.approx(100.0, rel=0.1)


def test_coarse_steps_are_read_at_the_moment_they_come():
    """A step of 25 % determines the rate when it arrives; repeated responses do not change the rate."""
    history = history_of([(46.0, 0, False), (50.0, 25, False), (80.0, 25, False), (95.0, 25, False)])
    history = history.answered(100.0, 50)
    assert predicted_end(history, 100.0) == pytest.approx(200.0, rel=0.06)


def test_the_bar_of_a_queued_task_stays_near_its_beginning():
    """However long the queue is, the bar does not look as if the video was nearly finished."""
    history = history_of([(time, 0, True) for time in range(1, 200, 10)], durations=(3.0, 3.0))
    assert predicted_progress(history, 300.0) <= 10
    begun = history.answered(300.0, 40)
    assert predicted_progress(begun, 300.0) == 40
    assert 90 < predicted_progress(begun, 900.0) < 100


def test_time_in_the_queue_is_not_counted_as_slow_progress():
    """A task that was queued for a minute and half done after another ends after a third."""
    history = history_of([(30.0, 0, True), (60.0, 0, True), (90.0, 24, False), (92.0, 26, False)])
    history = history.answered(120.0, 49)
    assert predicted_end(history, 120.0) == pytest.approx(180.0, rel=0.05)


def test_with_nothing_known_nothing_is_predicted():
    """Without progress and history, or if both were wrong, no end is predicted."""
    assert predicted_end(History(started=0.0).answered(5.0, 0), 5.0) is None
    stuck = history_of([(10.0, 50, False), (19.0, 95, False)], durations=(20.0, 22.0, 21.0))
    assert predicted_end(stuck, 200.0) is None


def test_an_overdue_task_is_asked_ever_more_rarely_and_never_given_up():
    """A task that takes hours is polled once a minute."""
    history = History(started=0.0)
    delays = [next_delay(history, elapsed) for elapsed in (600.0, 1800.0, 7200.0, 100_000.0)]
    assert delays == sorted(delays)
    assert delays[0] < 10.0
    assert delays[-1] == 60.0


def test_a_task_followed_again_starts_from_what_the_service_says():
    """The bar of a task resumed after an hour shows its progress, not its age."""
    history = History(started=0.0, followed_since=3600.0, shown=40.0)
    assert predicted_progress(history, 3600.0) == 40.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["linear", "noisy", "stepwise"])
@pytest.mark.parametrize(
    ("floor", "past", "lag", "questions"),
    [(2.0, "some", 1.1, 18), (2.0, "none", 1.1, 20), (0.5, "some", 0.35, 30), (0.5, "none", 0.35, 30)],
)
def test_with_progress_the_end_is_noticed_within_a_second_for_few_questions(
    kind, floor, past, lag, questions
):
    """Tasks take 60 to 300 s; polling every 2 s would need 91 polls for a lag of 1 s."""
    outcome = simulation.measure(simulation.ours(floor), kind, past, count=160)
    assert outcome.lag <= lag
    assert outcome.polls <= questions


@pytest.mark.slow
@pytest.mark.parametrize(("past", "product"), [("none", 90), ("some", 60)])
def test_without_progress_it_beats_every_fixed_interval(past, product):
    """Without any information, lag × polls is below the 90 of fixed intervals; with a history, far below."""
    outcome = simulation.measure(simulation.ours(), "absent", past, count=150)
    assert outcome.product < product
    assert outcome.polls <= 40


@pytest.mark.slow
def test_the_eta_is_honest():
    """With linear progress most ETAs are off by less than 3 % of the task's time, and the bar by 2 points."""
    errors = simulation.display_errors("linear", count=30)
    assert (simulation.median_or_none(errors.eta_errors) or 1.0) < 0.03, "and there are some"
    assert sum(errors.bar_errors) / len(errors.bar_errors) < 2.0
    assert errors.falls == 0
