"""``rate``: the requests of all tasks stay within the user's limit and the workers' capacity."""

from __future__ import annotations

import asyncio
import time
from unittest.mock import patch

import pytest

from qingbo_widgets.tasks.background.rate import POLL, RECOVERY, SUBMISSION, RateLimiter


def test_no_more_requests_at_work_than_workers():
    """Of twenty concurrent requests, three run at a time with three workers, and all get their turn."""

    async def story() -> tuple[int, int]:
        pace, under_way, most, done = RateLimiter(3), 0, 0, 0

        async def request() -> None:
            nonlocal under_way, most, done
            async with pace.turn():
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                under_way -= 1
            done += 1

        await asyncio.gather(*(request() for _ in range(20)))
        return most, done

    assert asyncio.run(story()) == (3, 20)


def test_questions_go_before_submissions():
    """A late poll goes before waiting submissions; first polls of recovered tasks go last."""

    async def story() -> list[str]:
        pace, left = RateLimiter(1), []

        async def request(name: str, order: int) -> None:
            async with pace.turn(order):
                left.append(name)
                await asyncio.sleep(0)

        first = request("first", SUBMISSION)
        taken_up = [request(f"taken up {number}", RECOVERY) for number in range(2)]
        submissions = [request(f"submission {number}", SUBMISSION) for number in range(2)]
        await asyncio.gather(first, *taken_up, *submissions, request("question", POLL))
        return left

    assert asyncio.run(story()) == [
        "first", "question", "submission 0", "submission 1", "taken up 0", "taken up 1"
    ]  # fmt: skip


def test_the_limit_is_kept_across_all_requests():
    """At 100 requests a second, all requests are sent 10 ms apart."""

    async def story() -> list[float]:
        pace, left = RateLimiter(16), []
        pace.limit = 100.0

        async def request() -> None:
            async with pace.turn():
                left.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(request() for _ in range(12)))
        return left

    left = asyncio.run(story())
    assert left[-1] - left[0] >= 0.1


@pytest.mark.parametrize("limit", [None, 1000.0])
def test_another_limit_counts_at_once(limit):
    """A raised or removed limit, set on another thread, releases requests that would wait for minutes."""

    async def story() -> None:
        pace = RateLimiter(16)
        pace.limit = 0.001

        async def request() -> None:
            async with pace.turn():
                pass

        await request()
        waiting = asyncio.gather(request(), request())
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.to_thread(setattr, pace, "limit", limit)
        await asyncio.wait_for(waiting, 30)

    asyncio.run(story())


def test_a_lower_limit_counts_at_once():
    """The next request is sent after the interval of the new limit."""

    async def story() -> float:
        pace = RateLimiter(16)
        pace.limit = 1000.0
        async with pace.turn():
            pass
        pace.limit = 0.01
        loop = asyncio.get_running_loop()
        with patch.object(loop, "call_later", wraps=loop.call_later) as call_later:
            turn = asyncio.create_task(pace.turn().__aenter__())
            await asyncio.sleep(0)
        turn.cancel()
        return float(call_later.call_args.args[0])

    assert 50.0 < asyncio.run(story()) <= 100.0


def test_a_limit_that_is_taken_away_in_the_midst_of_it_breaks_nothing():
    """The limit is read once per use, because another thread may change it between two reads."""

    class Fickle(RateLimiter):
        reads = 0

        @property
        def _limit(self) -> float | None:
            self.reads += 1
            return None if self.reads % 2 == 0 else 1e9

        @_limit.setter
        def _limit(self, limit: float | None) -> None:
            pass

    async def story() -> None:
        pace = Fickle(2)
        for _ in range(4):
            async with pace.turn():
                assert pace.floor(2.0) >= 2.0

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_request_that_is_given_up_keeps_nobody_waiting():
    """A coroutine cancelled while it waits, or just at its turn, does not occupy a worker."""

    async def story() -> bool:
        pace = RateLimiter(1)

        async def request(seconds: float = 0.0) -> bool:
            async with pace.turn():
                await asyncio.sleep(seconds)
                return True

        first = asyncio.create_task(request(0.01))
        waiting = [asyncio.create_task(request()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await first
        waiting[1].cancel()
        return await asyncio.wait_for(waiting[2], 5)

    assert asyncio.run(story())


@pytest.mark.parametrize(
    ("following", "limit", "floor"),
    [(1, None, 2.0), (100, None, 2.0), (500, None, 8.929), (100, 10.0, 14.286)],
)
def test_many_tasks_ask_more_rarely_each(following, limit, floor):
    """Sixteen workers at 200 ms make 80 requests a second, and polls get seven tenths of them."""
    pace = RateLimiter(16)
    pace.following, pace.limit = following, limit
    assert pace.floor(2.0) == pytest.approx(floor, abs=0.001)


@pytest.mark.slow
def test_the_limit_of_a_manager_is_kept_across_tasks(make_manager):
    """With six tasks and 20 requests a second for all, submissions and polls are spaced alike."""
    manager = make_manager(max_requests_per_second=20.0)
    moments: list[float] = []
    call = manager.monitor.call

    def noted(*args, **kwargs):
        moments.append(time.monotonic())
        return call(*args, **kwargs)

    manager.monitor.call = noted
    for task in [manager.submit(prompt="雨") for _ in range(6)]:
        task.wait(30)
    assert len(moments) >= 12
    assert moments[-1] - moments[0] >= 0.9 * (len(moments) - 1) / 20.0
    manager.max_requests_per_second = None
    assert manager.monitor.pace.limit is None
