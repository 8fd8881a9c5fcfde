"""The tables of the hosts: ``docs/hosts.toml`` names and explains them, ``docs/hosts.json`` has the results.

The tests in tests/hosts write the results when ``make hosts`` runs them, each with its date and the versions.
A host without a result has what is known from its sources or reports, and no date.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_tables import table

__all__ = ["BEGIN", "COLUMNS", "END", "FILES", "Host", "Result", "hosts", "results", "section"]

DOCS = Path(__file__).resolve().parents[1] / "docs"
#: The files with tables, each with its language.
FILES = {"README.md": "en", "README.zh.md": "zh", "docs/hosts.md": "en", "docs/hosts.zh.md": "zh"}
BEGIN, END = "<!-- table of hosts: written by tools/tables.py -->", "<!-- end of the table of hosts -->"

#: The columns that tests record, with their titles.
COLUMNS = {
    "form": {"en": "form", "zh": "表单"},
    "card": {"en": "live card", "zh": "实时卡片"},
    "video": {"en": "video", "zh": "视频"},
    "reload": {"en": "after a reload", "zh": "刷新后"},
    "kernel_gone": {"en": "kernel gone", "zh": "内核结束后"},
    "review": {"en": "gallery, comparison", "zh": "画廊、对比"},
}
_TEXTS = {
    "host": {"en": "host", "zh": "环境"},
    "works": {"en": "works", "zh": "可用"},
    "what to do": {"en": "what to do", "zh": "怎么做"},
    "how": {"en": "how it is known", "zh": "依据"},
    "yes": {"en": "✓", "zh": "✓"},
    "partly": {"en": "partly", "zh": "部分"},
    "no": {"en": "–", "zh": "–"},
    "real": {"en": "run on {date}", "zh": "{date} 实测"},
    "simulated": {"en": "simulated on {date}", "zh": "{date} 模拟"},
    "sources": {"en": "from its sources", "zh": "根据其源代码"},
    "reported": {"en": "reported", "zh": "据他人报告"},
    "": {"en": "not run yet", "zh": "尚未运行"},
    ": ": {"en": ": ", "zh": "："},
}


@dataclass(frozen=True)
class Host:
    """A host, as ``docs/hosts.toml`` describes it.

    Attributes:
        how: how the tests run it, ``real`` or ``simulated``; empty if none does.
        source: where ``known`` is from, ``sources`` or ``reported``.
        known: the outcomes by column, for a host without a result.
    """

    key: str
    name: Mapping[str, str]
    note: Mapping[str, str]
    in_readme: bool
    how: str = ""
    source: str = ""
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The known facts of a host: the outcomes by column, and where they are from."""

    outcomes: Mapping[str, str]
    how: str
    date: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def overall(self) -> str:
        """``yes`` if all works, ``no`` if no video plays, otherwise ``partly``; empty if nothing is known."""
        if self.outcomes.get("video") == "no":
            return "no"
        found = {self.outcomes[column] for column in COLUMNS if column in self.outcomes}
        return found.pop() if len(found) == 1 else "partly" if found else ""


def hosts() -> list[Host]:
    """Return the hosts in the order of the tables."""
    lines: list[dict[str, Any]] = tomllib.loads((DOCS / "hosts.toml").read_text(encoding="utf-8"))["host"]
    return [
        Host(
            key=line["key"],
            name={"en": line["name"], "zh": line.get("name_zh", line["name"])},
            note={"en": line["note"], "zh": line["note_zh"]},
            in_readme=line["readme"],
            how=line.get("how", ""),
            source=line.get("from", ""),
            known=line.get("known", {}),
        )
        for line in lines
    ]


def results() -> dict[str, dict[str, Any]]:
    """Return the results of the tests by host."""
    found: dict[str, dict[str, Any]] = json.loads((DOCS / "hosts.json").read_text(encoding="utf-8"))
    return found


def result(host: Host, recorded: Mapping[str, Mapping[str, Any]]) -> Result:
    """Return what is known of a host: what a test has recorded, otherwise what others say."""
    line = recorded.get(host.key)
    if line is None:
        return Result(host.known, host.source)
    return Result(line, host.how, line["date"], line["versions"])


def _text(name: str, language: str) -> str:
    return _TEXTS[name][language]


def _cell(outcome: str, language: str) -> str:
    return _text(outcome, language) if outcome else ""


def _short(language: str, recorded: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the rows of the README's table."""
    yield [_text(name, language) for name in ("host", "works", "what to do")]
    for host in hosts():
        if host.in_readme:
            overall = _cell(result(host, recorded).overall, language)
            yield [host.name[language], overall or _text("", language), host.note[language]]


def _long(language: str, recorded: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the rows of the table in docs."""
    titles = [title[language] for title in COLUMNS.values()]
    yield [_text("host", language), *titles, _text("how", language), _text("what to do", language)]
    for host in hosts():
        known = result(host, recorded)
        how = _text(known.how, language).format(date=known.date)
        if known.versions:
            versions = ", ".join(f"{name} {version}" for name, version in sorted(known.versions.items()))
            how = f"{how}{_text(': ', language)}{versions}"
        cells = [_cell(known.outcomes.get(column, ""), language) for column in COLUMNS]
        yield [host.name[language], *cells, how, host.note[language]]


def section(file: str) -> str:
    """Return the table of a file."""
    rows = _long if file.startswith("docs/") else _short
    return table(rows(FILES[file], results()))
