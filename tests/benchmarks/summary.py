"""What was aimed at beside what was measured: one table, made of what ``bench.json`` holds.

``python -m tests.benchmarks.summary [bench.json]`` prints it again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .tables import print_table, shown

__all__ = ["Row", "print_summary", "rows"]

#: The progress that can be used.
USABLE = ("linear", "noisy", "stepwise")


class Row(NamedTuple):
    """A line of the summary; ``met`` is ``None`` where the other column is a peer and not a target."""

    what: str
    target: str
    measured: str
    met: bool | None = None


def rows(bench: dict[str, Any], parts: Iterable[str] | None = None) -> list[Row]:
    """The lines for which there are figures; those of parts that failed early are fewer."""
    told = []
    for name in _ROWS if parts is None else parts:
        told += list(_ROWS[name](_Found(bench.get(name))))
        if failed := bench.get("parts", {}).get(name, {}).get("failed"):
            told.append(Row(f"the part {name}", "to its end", str(failed), False))
    return told


def print_summary(bench: dict[str, Any], parts: Iterable[str] | None = None) -> None:
    """Print the table."""
    heads = ("", "target or peer", "measured", "met")
    lines = (
        (row.what, row.target, row.measured, "" if row.met is None else row.met) for row in rows(bench, parts)
    )
    print_table(f"Summary: {bench.get('date')}, {bench.get('machine')}", heads, lines)


class _Found:
    """What a part has found, by the beginnings of its names; ``None`` for what there is not."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def at(self, *begins: str) -> _Found:
        value = self.value
        for begin in begins:
            table = value if isinstance(value, dict) else {}
            value = table.get(begin, next((table[name] for name in table if name.startswith(begin)), None))
        return _Found(value)

    def __iter__(self) -> Iterator[tuple[str, _Found]]:
        for name, value in self.value.items() if isinstance(self.value, dict) else ():
            yield name, _Found(value)


def _most(what: str, found: _Found, most: float, unit: str, *, factor: float = 1.0) -> Iterator[Row]:
    """A figure that should not exceed another."""
    if found.value is not None:
        value = found.value * factor
        target = f"≤ {shown(most)} {unit}".strip() if most else "none"
        yield Row(what, target, f"{shown(value)} {unit}".strip(), value <= most)


def _schedule(found: _Found) -> Iterator[Row]:
    rules = found.at("tasks of")
    for floor, past, kinds, lag, asked in (
        ("2", "some", USABLE, 1.1, 22),
        ("2", "none", USABLE, 1.1, 30),
        ("2", "none", ("absent",), 1.1, 40),
        ("0.5", "some", USABLE, 0.35, 30),
        ("0.5", "none", USABLE, 0.35, 30),
    ):
        results = rules.at(f"qingbo_widgets, {floor} s, history {past}")
        values = [results.at(kind).value for kind in kinds]
        if all(values):
            worst = (max(value[0] for value in values), max(value[1] for value in values))
            what = f"schedule, not below {floor} s, progress {' or '.join(kinds)}, history {past}"
            target, measured = (f"{shown(a)} s, {shown(b)} questions" for a, b in ((lag, asked), worst))
            yield Row(what, f"≤ {target}", measured, worst[0] <= lag and worst[1] <= asked)
    ours = rules.at("qingbo_widgets, 2 s, history some")
    products = [kind.value[0] * kind.value[1] for _, kind in ours]
    if products:
        most = f"{shown(max(products))} at worst, of all kinds of progress"
        yield Row("schedule, lag × questions, history some", "90: any fixed interval", most)
    for name, rule in rules:
        if not name.startswith("qingbo") and (one := rule.at("absent").value):
            yield Row("schedule, its rule simulated", name, f"{shown(one[0])} s, {shown(one[1])} questions")
    for kind in USABLE:
        honest = found.at("ETA and bar", f"{kind}, history some")
        off, p90 = honest.at("ETA off").value, honest.at("p90").value
        if off is not None and p90 is not None:
            told = f"median {100 * off:.1f} %, p90 {100 * p90:.1f} % of the task's time"
            yield Row(f"ETA off by, progress {kind}, history some", "–", told)
    falls = [honest.at("bar fell").value for _, honest in found.at("ETA and bar")]
    if falls:
        yield Row("bar fell, or reached 100 before the end", "never", f"{sum(falls)} times", not sum(falls))


def _imports(found: _Found) -> Iterator[Row]:
    table = found.at("on top of")
    yield from _most("import qingbo_widgets, added", table.at("import qingbo_widgets", "ms"), 15, "ms")
    for name, one in table:
        if name.startswith("import ") and "qingbo" not in name:
            yield Row("import, added", name.removeprefix("import "), f"{shown(one.at('ms').value)} ms")


def _kernel(found: _Found) -> Iterator[Row]:
    form = found.at("first form")
    for name, one in form:
        sandbox = "sandbox" in name
        what, median = f"first form in a fresh kernel: {name}", one.at("ms, median")
        if sandbox and median.value is not None:
            yield Row(what, "–", f"{shown(median.value)} ms")
        elif not sandbox:
            yield from _most(what, median, 150, "ms")
    click = found.at("a click")
    yield from _most("a click on Generate, service silent, median", click.at("ms, median"), 10, "ms")
    yield from _most("a click on Generate, service silent, most", click.at("ms, most"), 10, "ms")
    paint = found.at("first paint")
    if paint.value:
        told = f"{shown(paint.at('widgets').value)} widgets, {shown(paint.at('messages').value)} messages, "
        yield Row("first paint of a studio", "–", f"{told}{shown(paint.at('bytes').value)} bytes")
    idle = found.at("3 tasks")
    yield from _most("kernel busy while tasks run, nobody asking", idle.at("busy messages"), 0, "times")


def _card(found: _Found) -> Iterator[Row]:
    cards = found.at("messages to the page")
    page, hidden, closed = (cards.at(name) for name in ("a card on the page", "TaskCard(", "a card after"))
    yield from _most(
        "messages a second, card on the page, most", page.at("messages within a second, most, later"), 4, ""
    )
    yield from _most("messages of a card not displayed, after its first second", _after(hidden), 0, "")
    yield from _most("messages of a closed card", closed.at("messages in all"), 0, "")
    if page.value:
        told = f"{shown(page.at('messages in all').value)} messages, "
        told += f"{shown(page.at('bytes in all').value)} bytes"
        yield Row("a card on the page, from submit to the video", "–", told)
    for name, count in found.at("bytes in the notebook"):
        if "without" not in name:
            yield from _most(f"notebook grows: {name}", count, 5000, "bytes")


def _after(card: _Found) -> _Found:
    whole, first = card.at("messages in all").value, card.at("messages in the first second").value
    return _Found(None if whole is None or first is None else whole - first)


def _paint(found: _Found) -> Iterator[Row]:
    for name, one in found.at("from running"):
        yield from _most(f"painted in JupyterLab: {name}", one.at("painted, ms, median"), 1000, "ms")


def _video(found: _Found) -> Iterator[Row]:
    for line, one in found.at("seconds from noticed, in JupyterLab"):
        what = "10 MB video playable after it was noticed, line: "
        yield from _most(f"{what}{line}", one.at("playable"), 1, "s")
    for line, one in found.at("seconds from noticed, in the kernel"):
        if (saved := one.at("saved").value) is not None:
            yield Row(f"10 MB video saved after it was noticed, line: {line}", "–", f"{shown(saved)} s")


def _many(found: _Found) -> Iterator[Row]:
    for name, bare in found:
        if name.endswith("tasks of 60..120 s"):
            yield from _most(f"{name}: CPU", bare.at("CPU share"), 25, "% of a core", factor=100)
            yield from _most(f"{name}: later than scheduled, most", bare.at("late, most"), 1, "s")
            yield from _most(f"{name}: connections", bare.at("connections"), 19, "(16 workers, 3 downloads)")
            yield from _most(f"{name}: threads that ask", bare.at("threads that ask"), 16, "")
            yield from _most(f"{name}: submit, median", bare.at("submit, median"), 10, "ms")
            yield from _most(f"{name}: submit, most", bare.at("submit, most"), 10, "ms")
            most = bare.at("submit without the garbage collector")
            yield from _most(f"{name}: submit, most, Python's garbage collector aside", most, 10, "ms")
        elif "max_requests_per_second" in name:
            most = bare.at("requests in a second, most")
            yield from _most(f"{name}: requests in a second, most", most, 11, "")
        elif name.endswith("in a kernel"):
            for cards, one in bare:
                yield from _most(f"{cards}: CPU", one.at("CPU share"), 25, "% of a core", factor=100)
                yield from _most(f"{cards}: later than scheduled, most", one.at("late, most"), 1, "s")
                each = one.at("messages a second for each card")
                yield from _most(f"{cards}: messages a second for each on the page", each, 4, "")
                if ", 0 of them" in cards:
                    rate = one.at("messages a second, to the end")
                    yield from _most(f"{cards}: messages a second", rate, 0, "")
    memory = found.at("bytes of memory")
    yield from _most("memory of a task after 48 answers", memory.at("a task after"), 50_000, "bytes")
    if (card := memory.at("a card").value) is not None:
        yield Row("memory of a card", "–", f"{shown(card)} bytes")


def _clients(found: _Found) -> Iterator[Row]:
    table = found.at("16 tasks")
    for name, one in table:
        told = ", ".join(
            f"{shown(one.at(key).value)}{unit}"
            for key, unit in (
                ("lag, s", " s"),
                ("questions", " questions"),
                ("connections", " connections"),
                ("CPU", " s CPU"),
                ("threads", " threads"),
                ("memory", " MB"),
            )
        )
        ours = name.startswith("qingbo")
        yield Row(name if ours else "the same tasks", "–" if ours else name, told)


_ROWS: dict[str, Callable[[_Found], Iterator[Row]]] = {
    "schedule": _schedule,
    "imports": _imports,
    "kernel": _kernel,
    "card": _card,
    "paint": _paint,
    "video": _video,
    "many": _many,
    "clients": _clients,
}


if __name__ == "__main__":
    given = Path(sys.argv[1] if len(sys.argv) > 1 else "bench.json")
    print_summary(json.loads(given.read_text(encoding="utf-8")))
