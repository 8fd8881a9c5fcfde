"""The results that tests record of hosts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tests.hosts import results
from tests.hosts.results import record


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an own file of results, which does not exist yet."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "hosts.json")
    monkeypatch.setenv("RECORD_HOSTS", "1")
    return tmp_path / "hosts.json"


def test_tests_add_to_the_line_of_a_host(file: Path) -> None:
    """Several tests of a host give one line, with the newest outcome of each column."""
    record("lab", {"jupyterlab": "4.6"}, form="yes", video="no")
    record("lab", {"ipywidgets": "8.1"}, video="yes")
    record("other", {})
    found = json.loads(file.read_text(encoding="utf-8"))
    today = date.today().isoformat()
    versions = {"ipywidgets": "8.1", "jupyterlab": "4.6"}
    assert found == {
        "lab": {"date": today, "form": "yes", "versions": versions, "video": "yes"},
        "other": {"date": today, "versions": {}},
    }


def test_a_usual_run_records_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test run on any machine leaves the published results as they are."""
    monkeypatch.delenv("RECORD_HOSTS")
    record("lab", {}, form="yes")
    assert not file.exists()


@pytest.mark.parametrize("recording", ["1", ""])
def test_a_column_that_no_table_has_is_refused(
    recording: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt column is found in every run, not only when results are recorded."""
    monkeypatch.setenv("RECORD_HOSTS", recording)
    with pytest.raises(ValueError, match="unknown columns: fil"):
        record("lab", {}, film="yes")
    assert not file.exists()
