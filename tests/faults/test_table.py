"""Tests of every fault at every stage: the text on the card, and no task lost or paid for twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.table import CASES, Case, run


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fault_at_every_stage(case: Case, tmp_path: Path, no_proxy: None) -> None:
    """The card shows the fault and the button that helps; one task is created, and one video saved."""
    outcome = run(case, tmp_path)
    assert any(re.search(case.card_text, text) for text in [outcome.status, *outcome.texts]), outcome.texts
    if case.click and case.click != "connect()":
        assert case.click in outcome.buttons
    assert outcome.tasks_before_click <= 1, "the task was paid for twice without a click"
    assert (outcome.tasks, outcome.videos) == (case.tasks, case.videos)
    assert case.status in outcome.status
    assert len(outcome.rows) == 1, "a row was lost or duplicated"
