"""Update of the figures in the READMEs from ``bench.json``, between two marker comments.

``python -m tests.benchmarks.readme [bench.json]``, after ``make bench``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .parts import ROOT
from .summary import rows
from .tables import shown

__all__ = ["write"]

#: The comments before and after the figures.
BEGIN, END = "<!-- figures: python -m tests.benchmarks.readme -->", "<!-- /figures -->"
#: The compared figures, by their keys in ``bench.json``.
COMPARED = (
    "lag, s",
    "questions a task",
    "lag × questions",
    "connections",
    "CPU, s",
    "threads",
    "memory, MB",
)
#: The header row of each file.
HEADS: dict[str, Sequence[str]] = {
    "README.md": (
        "",
        "lag, s",
        "requests per task",
        "lag × requests",
        "connections",
        "CPU, s",
        "threads",
        "memory, MB",
    ),
    "README.zh.md": (
        "",
        "延迟，秒",
        "每个任务的请求数",
        "延迟 × 请求数",
        "连接数",
        "CPU，秒",
        "线程数",
        "内存，MB",
    ),
}
#: The file with the targets; the other refers to it.
WITH_TARGETS = "README.md"


def write(bench: dict[str, Any]) -> None:
    """Update both files."""
    for name in HEADS:
        file = ROOT / name
        text = file.read_text(encoding="utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise ValueError(f"{name}: {BEGIN} and {END} do not mark a place for the figures")
        file.write_text(f"{before}{begin}\n{_figures(bench, name)}\n{end}{after}", encoding="utf-8")


def _figures(bench: dict[str, Any], name: str) -> str:
    clients = next(table for title, table in bench["clients"].items() if isinstance(table, dict))
    compared = [[_bold(client), *(costs[key] for key in COMPARED)] for client, costs in clients.items()]
    dates = [part["date"] for part in bench["parts"].values()]  # parts may be run one at a time
    when = " … ".join(sorted({min(dates), max(dates)}))
    figures = f"*{when}, {bench['machine']}*\n\n{_table(HEADS[name], compared)}"
    return f"{figures}\n\n{_targets(bench)}" if name == WITH_TARGETS else figures


def _targets(bench: dict[str, Any]) -> str:
    lines = [(row.label, row.target, row.measured, row.met) for row in rows(bench) if row.met is not None]
    table = _table(("", "target", "measured", "met"), lines)
    fold = "<summary>Targets and results</summary>"
    return f"<details>\n{fold}\n\n{table}\n\n</details>"


def _bold(client: str) -> str:
    return f"**{client}**" if client.startswith("qingbo") else client


def _table(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    cells = [[shown(cell).replace("|", "\\|") for cell in line] for line in (heads, *lines)]
    cells.insert(1, ["---"] * len(heads))
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "bench.json")
    write(json.loads(path.read_text(encoding="utf-8")))
