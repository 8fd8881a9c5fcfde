"""The tables in README and docs are those of the models' descriptions, and of the results in hosts."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import host_tables
import pytest

from tests.hosts.results import COLUMNS

ROOT = Path(__file__).parents[2]


def tool() -> ModuleType:
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILES = [
    "README.md",
    "README.zh.md",
    "docs/models.md",
    "docs/models.zh.md",
    "docs/hosts.md",
    "docs/hosts.zh.md",
]


@pytest.mark.parametrize("file", FILES)
def test_the_tables_are_current(file: str) -> None:
    """A reader sees what the models take today, and what the last run of the hosts has seen."""
    current = tool().written(file)
    assert (ROOT / file).read_text(encoding="utf-8") == current, "run: python3 tools/tables.py"


def test_every_parameter_has_a_row() -> None:
    """No parameter of a model is missing from the tables, and each model has its column."""
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for name in ("multi_prompt", "keep_original_sound", "camera_control", "callback_events"):
        assert f"| `{name}` |" in text
    for model in ("kling-v3-motion-control", "kling-v2-master"):
        assert f"| `{model}` |" in text


def rows(file: str) -> dict[str, list[str]]:
    """Return the cells of a file's table of hosts by the first one."""
    inner = (
        (ROOT / file)
        .read_text(encoding="utf-8")
        .partition(host_tables.BEGIN)[2]
        .partition(host_tables.END)[0]
    )
    lines = [line.strip("|").split(" | ") for line in inner.strip().splitlines()]
    return {line[0].strip(): [cell.strip() for cell in line] for line in lines}


def test_every_result_is_shown() -> None:
    """The recorded result of a host stands in the table, with its date and versions."""
    described = {host.key: host for host in host_tables.hosts()}
    for key, line in host_tables.results().items():
        assert key in described, f"docs/hosts.toml lacks the host {key}, so no reader would see its result"
        host = described[key]
        assert host.how in ("real", "simulated"), f"docs/hosts.toml does not say how {key} is run"
        shown = " ".join(rows("docs/hosts.md")[host.name["en"]])
        for part in (line["date"], *line["versions"].values()):
            assert part in shown, f"the table does not show {part} of {host.name['en']}"


def test_no_host_has_a_date_without_a_result() -> None:
    """A reader does not take for measured what is only known from sources, from reports, or not at all."""
    recorded = host_tables.results()
    unknown = [host for host in host_tables.hosts() if host.key not in recorded]
    assert unknown, "this test would pass on nothing"
    for host in unknown:
        cells = rows("docs/hosts.md")[host.name["en"]]
        assert not re.search(r"\d{4}-\d\d-\d\d", " ".join(cells)), f"{host.key} has a date of ours"
        how = {"sources": "from its sources", "reported": "reported", "": "not run yet"}[host.source]
        assert how in cells, f"{host.key} does not say where its line is from"
        assert bool(host.known) == bool(host.source), (
            f"{host.key}: what is known has a source, and the reverse"
        )
        assert host.how or host.known, f"{host.key} has neither a test nor anything that is known"


def test_hosts_are_described_once_and_in_the_columns_of_the_tests() -> None:
    """A misspelt column would leave its cell empty, and a second line would hide the first."""
    hosts = host_tables.hosts()
    assert len({host.key for host in hosts}) == len(hosts)
    assert len({host.name["en"] for host in hosts}) == len(hosts)
    assert tuple(host_tables.COLUMNS) == COLUMNS
    for host in hosts:
        assert host.known.keys() <= {*COLUMNS}, host.key
        assert {*host.known.values()} <= {"yes", "partly", "no"}, host.key


@pytest.mark.parametrize(
    ("outcomes", "overall"),
    [
        ({"form": "yes", "video": "yes"}, "yes"),
        ({"form": "no", "video": "yes"}, "partly"),
        ({"form": "partly"}, "partly"),
        ({"form": "no", "video": "no"}, "no"),
        ({}, ""),
    ],
)
def test_the_short_table_sums_up_a_host(outcomes: dict[str, str], overall: str) -> None:
    """A check mark in the README stands for a host in which everything that was looked at works."""
    assert host_tables.Result(outcomes, "real").overall == overall
