"""``Sweep.promote``: the best rated drafts once more, in higher quality or with another model."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults
from qingbo_widgets.tasks.sweep.cell import Cell
from qingbo_widgets.tasks.sweep.promote import best
from tests.tasks.conftest import PRICED


@pytest.fixture
def drafts(priced: qw.TaskManager) -> qw.Sweep:
    """Return a finished sweep of two prompts and two models."""
    made = qw.sweep(
        prompt=["koi", "crane"], model=["kling-v3", "kling-v2-6"], manager=priced, name="koi", **PRICED
    )
    made.wait(90)
    assert len(best(made)) == 0, "a cell counts as rated before the user has rated it"
    return made


def rate(sweep: qw.Sweep, *ratings: int | None) -> None:
    """Rate the cells in their order."""
    for cell, rating in zip(sweep.cells, ratings, strict=True):
        assert cell.key is not None
        sweep.manager.library.judgements.rate(cell.key, rating)


def numbers(cells: list[Cell]) -> list[int]:
    """Return the numbers of cells."""
    return [cell.number for cell in cells]


@pytest.mark.slow
def test_the_best_are_planned_with_their_price(
    drafts: qw.Sweep, priced_server: qw.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The best rated are planned with the change, and nothing is sent before ``start``."""
    rate(drafts, 5, 3, None, 4)
    capsys.readouterr()
    promoted = drafts.promote(top=2, resolution="1080p")
    printed = capsys.readouterr().out
    assert "Price: $0.819 ($0.315 to $0.504 each)." in printed, printed
    assert "Nothing has been sent yet" in printed
    assert (promoted.name, promoted.state) == ("koi-promoted-1080p", "planned")
    assert [cell.values for cell in promoted.cells] == [
        {"prompt": "koi", "model": "kling-v3"},
        {"prompt": "crane", "model": "kling-v2-6"},
    ]
    assert list(promoted.axes) == ["prompt", "model"]
    assert {cell.request.resolution for cell in promoted.cells} == {"1080p"}
    assert len(priced_server.requests) == 4, "a promoted video was sent without the user's click"
    promoted.start().wait(90)
    assert [row["resolution"] for row in promoted.rows()] == ["1080p"] * 2
    assert len(priced_server.requests) == 6


@pytest.mark.slow
def test_the_same_cell_twice_is_the_same_sweep(
    drafts: qw.Sweep, make_priced: Callable[..., qw.TaskManager]
) -> None:
    """A notebook cell that is run again creates nothing, here or in another kernel."""
    rate(drafts, 5, 3, None, 4)
    promoted = drafts.promote(top=2, resolution="1080p")
    rate(drafts, 4, 3, None, 5)
    assert drafts.promote(top=2, resolution="1080p") is promoted
    other = make_priced()
    again = qw.Sweep.load("koi", manager=other).promote(top=2, resolution="1080p")
    assert again.name == promoted.name
    assert again.tasks == ()
    rate(drafts, None, 5, 5, None)
    with pytest.raises(ValueError, match="different sweep 'koi-promoted-1080p': choose another name"):
        drafts.promote(top=2, resolution="1080p")
    assert drafts.promote(top=2, name="others", resolution="1080p").name == "others"


@pytest.mark.slow
def test_ties_of_ratings(drafts: qw.Sweep) -> None:
    """Of equal ratings, the winner of the comparisons comes first, then the cheaper one, then the earlier."""
    rate(drafts, 4, 4, 4, 5)
    assert numbers(best(drafts)) == [3, 1, 0, 2]  # kling-v2-6 is cheaper
    if importlib.util.find_spec("choix") is None:
        pytest.skip("choix is not installed")
    third, first = drafts.cells[2].key, drafts.cells[0].key
    assert third is not None
    assert first is not None
    drafts.manager.library.judgements.prefer(third, first)
    assert numbers(best(drafts)) == [3, 2, 1, 0]


@pytest.mark.slow
def test_another_model(drafts: qw.Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Drafts that differ only in the model are one video; fewer than wanted are named."""
    rate(drafts, 5, 4, 3, None)
    promoted = drafts.promote(model="kling-v3-omni")
    assert [cell.values for cell in promoted.cells] == [{"prompt": "koi"}, {"prompt": "crane"}]
    assert promoted.name == "koi-promoted-kling-v3-omni"
    assert "videos: 2, fewer than top=3" in capsys.readouterr().out


@pytest.mark.slow
def test_refused_fields_create_nothing(drafts: qw.Sweep, priced_server: qw.Sandbox) -> None:
    """The error names what the model does not take and the video, and the library has no new sweep."""
    rate(drafts, 5, 4, 3, 2)
    with pytest.raises(qw.InvalidRequest, match=r"resolution.*\[koi · kling-v3\]"):
        drafts.promote(model="kling-v2-6", resolution="4k")
    with pytest.raises(TypeError, match="resolution"):
        drafts.promote(resolutoin="1080p")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="top=0"):
        drafts.promote(top=0)
    with pytest.raises(KeyError, match=r'the library has: koi"?$'):
        qw.Sweep.load("koi-promoted-kling-v2-6-4k", manager=drafts.manager)
    assert len(priced_server.requests) == 4


@pytest.mark.slow
def test_without_a_rating_the_error_says_to_rate(drafts: qw.Sweep) -> None:
    """Nothing is chosen by chance."""
    with pytest.raises(qw.QingboError, match="Rate some in its grid first"):
        drafts.promote(resolution="1080p")


@pytest.mark.slow
def test_a_failed_cell_is_never_promoted(priced: qw.TaskManager, priced_server: qw.Sandbox) -> None:
    """A rating of a video that was replaced by a failure is no reason to pay again."""
    priced_server.faults = Faults(fail="upstream_unavailable", fail_prompt="fail")
    made = qw.sweep(prompt=["koi", "fail"], manager=priced, **PRICED).wait(60)
    rate(made, 1, 5)
    assert numbers(best(made)) == [0]


@pytest.mark.slow
def test_names_of_other_changes(drafts: qw.Sweep) -> None:
    """A long or odd value is named by its field."""
    rate(drafts, 5, None, None, None)
    name = drafts.promote(prompt="a koi " * 20, generate_audio=True).name
    assert name == "koi-promoted-prompt-generate_audio"
    assert drafts.promote().name == "koi-promoted"
