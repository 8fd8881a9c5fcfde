"""Each fault at each stage: what the person is told, and that nothing is lost or paid for twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.table import CASES, Case, run


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fault_at_every_stage(case: Case, tmp_path: Path, no_proxy: None) -> None:
    """The card says what happened and offers what helps; one task is made, and one video saved."""
    seen = run(case, tmp_path)
    assert any(re.search(case.says, text) for text in [seen.status, *seen.said]), seen.said
    if case.click and case.click != "connect()":
        assert case.click in seen.offered
    assert seen.before <= 1, "paid for twice by itself"
    assert (seen.tasks, seen.videos) == (case.tasks, case.videos)
    assert case.status in seen.status
    assert len(seen.rows) == 1, "no row is lost, and none is there twice"
