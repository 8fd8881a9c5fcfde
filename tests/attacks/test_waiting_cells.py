"""A cell that waits for paid tasks draws meanwhile: an error in it fails no task, and many are cheap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

import qingbo_widgets as qw
from qingbo_widgets.tasks import waiting
from qingbo_widgets.widgets.base import output
from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.base.output import CellOutput


@pytest.fixture
def broken() -> Iterator[CellOutput]:
    """Yield an output that no page has run, and whose widget cannot be drawn."""
    studio = qw.VideoStudio()
    shown = studio.cell_output

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the drawing is broken")

    shown.redraw = shown.send = fail  # type: ignore[method-assign]
    output._without_page.add(shown)
    yield shown
    output._without_page.discard(shown)
    studio.close()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what is written to displays, and whether it fails."""
    written: list[str] = []
    monkeypatch.setattr(output, "_update", lambda name, *_: written.append(name))
    monkeypatch.setattr(output, "_next_update", 0.0)
    monkeypatch.setattr(output, "_written", {})
    return written


@pytest.mark.parametrize("draw", [output.send_displays, output.redraw_displays])
def test_a_drawing_error_fails_no_wait(
    broken: CellOutput, drawn: list[str], draw: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The task is paid and its video saved, so ``wait()`` returns it; the other displays are drawn."""
    output._written["another"] = Markup("saved"), "saved"
    draw()
    assert drawn == ["another"], "one broken view keeps the others of a notebook at their old state"
    assert "the drawing is broken" in caplog.text
    caplog.clear()
    output._next_update = 0.0
    draw()
    assert not caplog.text, "a wait of an hour would print the same traceback 3600 times"


def test_an_interrupt_while_drawing_loses_no_display(
    drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop ends the cell; what it had still to draw is drawn by the next one."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    output._written["a"] = Markup("saved"), "saved"
    with monkeypatch.context() as patched:
        patched.setattr(output, "_update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            output.redraw_displays()
    output.redraw_displays()
    assert drawn == ["a"], "the end of a task is never drawn"


def test_the_ends_of_many_tasks_are_drawn_together(
    manager: qw.TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 100 awaited tasks, each end drew all 100 displays: minutes, in which the loop stood still."""
    draws: list[int] = []
    monkeypatch.setattr(output, "redraw_displays", lambda: draws.append(len(waiting._awaited)))

    async def wait_for_all() -> None:
        await asyncio.gather(*(manager.submit(prompt=f"koi {number}", duration=5) for number in range(8)))

    asyncio.run(wait_for_all())
    assert draws == [0], "the displays are drawn once more for each task"


def test_an_await_that_is_cut_short_is_forgotten(manager: qw.TaskManager) -> None:
    """After ``wait_for``, the end of the next wait is drawn at once."""

    async def cut_short() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(manager.submit(prompt="a koi", duration=5), 0.01)

    asyncio.run(cut_short())
    assert waiting._awaited == []
