"""A table of targets and results, computed from ``bench.json``.

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

#: The usable kinds of progress.
USABLE = ("linear", "noisy", "stepwise")


class Row(NamedTuple):
    """A row of the summary; ``met`` is ``None`` if the second column holds a peer instead of a target."""

    label: str
    target: str
    measured: str
    met: bool | None = None


def rows(bench: dict[str, Any], parts: Iterable[str] | None = None) -> list[Row]:
    """Return the rows that have results; parts that failed early have fewer."""
    summary = []
    for name in _ROWS if parts is None else parts:
        summary += list(_ROWS[name](_Results(bench.get(name))))
        if failed := bench.get("parts", {}).get(name, {}).get("failed"):
            summary.append(Row(f"the part {name}", "finished", str(failed), False))
    return summary


def print_summary(bench: dict[str, Any], parts: Iterable[str] | None = None) -> None:
    """Print the summary."""
    heads = ("", "target or peer", "measured", "met")
    lines = (
        (row.label, row.target, row.measured, "" if row.met is None else row.met)
        for row in rows(bench, parts)
    )
    print_table(f"Summary: {bench.get('date')}, {bench.get('machine')}", heads, lines)


class _Results:
    """The results of a part, looked up by key prefixes; ``None`` for a missing key."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def at(self, *prefixes: str) -> _Results:
        value = self.value
        for prefix in prefixes:
            table = value if isinstance(value, dict) else {}
            value = table.get(prefix, next((table[name] for name in table if name.startswith(prefix)), None))
        return _Results(value)

    def __iter__(self) -> Iterator[tuple[str, _Results]]:
        for name, value in self.value.items() if isinstance(self.value, dict) else ():
            yield name, _Results(value)


def _at_most(label: str, results: _Results, limit: float, unit: str, *, factor: float = 1.0) -> Iterator[Row]:
    """Yield a row for a value with an upper limit, if there is a value."""
    if results.value is not None:
        value = results.value * factor
        target = f"≤ {shown(limit)} {unit}".strip() if limit else "none"
        yield Row(label, target, f"{shown(value)} {unit}".strip(), value <= limit)


def _schedule(results: _Results) -> Iterator[Row]:
    rules = results.at("tasks of")
    for floor, past, kinds, lag, polls in (
        ("2", "some", USABLE, 1.1, 22),
        ("2", "none", USABLE, 1.1, 30),
        ("2", "none", ("absent",), 1.1, 40),
        ("0.5", "some", USABLE, 0.35, 30),
        ("0.5", "none", USABLE, 0.35, 30),
    ):
        outcomes = rules.at(f"qingbo_widgets, {floor} s, history {past}")
        values = [outcomes.at(kind).value for kind in kinds]
        if all(values):
            worst = (max(value[0] for value in values), max(value[1] for value in values))
            label = f"schedule, interval at least {floor} s, progress {' or '.join(kinds)}, history {past}"
            target, measured = (f"{shown(a)} s, {shown(b)} polls" for a, b in ((lag, polls), worst))
            yield Row(label, f"≤ {target}", measured, worst[0] <= lag and worst[1] <= polls)
    ours = rules.at("qingbo_widgets, 2 s, history some")
    products = [kind.value[0] * kind.value[1] for _, kind in ours]
    if products:
        worst_product = f"{shown(max(products))} for the worst kind of progress"
        yield Row("schedule, lag × polls, history some", "90: any fixed interval", worst_product)
    for name, rule in rules:
        if not name.startswith("qingbo") and (mean := rule.at("absent").value):
            yield Row("schedule, simulated rule", name, f"{shown(mean[0])} s, {shown(mean[1])} polls")
    for kind in USABLE:
        accuracy = results.at("ETA and bar", f"{kind}, history some")
        off, p90 = accuracy.at("ETA off").value, accuracy.at("p90").value
        if off is not None and p90 is not None:
            errors = f"median {100 * off:.1f} %, p90 {100 * p90:.1f} % of the task's time"
            yield Row(f"ETA error, progress {kind}, history some", "–", errors)
    falls = [accuracy.at("bar fell").value for _, accuracy in results.at("ETA and bar")]
    if falls:
        yield Row("bar fell, or reached 100 before the end", "never", f"{sum(falls)} times", not sum(falls))


def _imports(results: _Results) -> Iterator[Row]:
    table = results.at("on top of")
    yield from _at_most(
        "import qingbo_widgets, added time", table.at("import qingbo_widgets", "ms"), 15, "ms"
    )
    for name, statement in table:
        if name.startswith("import ") and "qingbo" not in name:
            yield Row(
                "import, added time", name.removeprefix("import "), f"{shown(statement.at('ms').value)} ms"
            )


def _kernel(results: _Results) -> Iterator[Row]:
    form = results.at("first form")
    for name, times in form:
        sandbox = "sandbox" in name
        label, median = f"first form in a fresh kernel: {name}", times.at("ms, median")
        if sandbox and median.value is not None:
            yield Row(label, "–", f"{shown(median.value)} ms")
        elif not sandbox:
            yield from _at_most(label, median, 150, "ms")
    click = results.at("a click")
    yield from _at_most(
        "a click on Generate, no response from the service, median", click.at("ms, median"), 10, "ms"
    )
    yield from _at_most(
        "a click on Generate, no response from the service, max", click.at("ms, most"), 10, "ms"
    )
    paint = results.at("first paint")
    if paint.value:
        counts = f"{shown(paint.at('widgets').value)} widgets, {shown(paint.at('messages').value)} messages, "
        yield Row("first paint of a studio", "–", f"{counts}{shown(paint.at('bytes').value)} bytes")
    idle = results.at("3 tasks")
    yield from _at_most(
        "kernel busy while tasks run, without a request", idle.at("busy messages"), 0, "times"
    )


def _card(results: _Results) -> Iterator[Row]:
    cards = results.at("messages to the page")
    page, hidden, closed = (cards.at(name) for name in ("a card on the page", "TaskCard(", "a card after"))
    yield from _at_most(
        "messages per second, card on the page, max", page.at("messages within a second, most, later"), 4, ""
    )
    yield from _at_most("messages of a card not displayed, after its first second", _after(hidden), 0, "")
    yield from _at_most("messages of a closed card", closed.at("messages in all"), 0, "")
    if page.value:
        counts = f"{shown(page.at('messages in all').value)} messages, "
        counts += f"{shown(page.at('bytes in all').value)} bytes"
        yield Row("a card on the page, from submission to the video", "–", counts)
    for name, count in results.at("bytes in the notebook"):
        if "without" not in name:
            yield from _at_most(f"notebook growth: {name}", count, 5000, "bytes")


def _after(card: _Results) -> _Results:
    whole, first = card.at("messages in all").value, card.at("messages in the first second").value
    return _Results(None if whole is None or first is None else whole - first)


def _paint(results: _Results) -> Iterator[Row]:
    for name, times in results.at("from running"):
        yield from _at_most(f"painted in JupyterLab: {name}", times.at("painted, ms, median"), 1000, "ms")


def _video(results: _Results) -> Iterator[Row]:
    for bandwidth, times in results.at("seconds from noticed, in JupyterLab"):
        label = "10 MB video playable after the task's end was noticed, bandwidth: "
        yield from _at_most(f"{label}{bandwidth}", times.at("playable"), 1, "s")
    for bandwidth, times in results.at("seconds from noticed, in the kernel"):
        if (saved := times.at("saved").value) is not None:
            yield Row(
                f"10 MB video saved after the task's end was noticed, bandwidth: {bandwidth}",
                "–",
                f"{shown(saved)} s",
            )


def _many(results: _Results) -> Iterator[Row]:
    for name, run in results:
        if name.endswith("tasks of 60..120 s"):
            yield from _at_most(f"{name}: CPU", run.at("CPU share"), 25, "% of a core", factor=100)
            yield from _at_most(f"{name}: later than scheduled, max", run.at("late, most"), 1, "s")
            yield from _at_most(
                f"{name}: connections", run.at("connections"), 19, "(16 workers, 3 downloads)"
            )
            yield from _at_most(f"{name}: request threads", run.at("threads that ask"), 16, "")
            yield from _at_most(f"{name}: submit, median", run.at("submit, median"), 10, "ms")
            yield from _at_most(f"{name}: submit, max", run.at("submit, most"), 10, "ms")
            submit = run.at("submit without the garbage collector")
            yield from _at_most(f"{name}: submit, max, without Python's garbage collector", submit, 10, "ms")
        elif "max_requests_per_second" in name:
            rate = run.at("requests in a second, most")
            yield from _at_most(f"{name}: requests per second, max", rate, 11, "")
        elif name.endswith("in a kernel"):
            for cards, sample in run:
                yield from _at_most(f"{cards}: CPU", sample.at("CPU share"), 25, "% of a core", factor=100)
                yield from _at_most(f"{cards}: later than scheduled, max", sample.at("late, most"), 1, "s")
                each = sample.at("messages a second for each card")
                yield from _at_most(f"{cards}: messages per second for each on the page", each, 4, "")
                if ", 0 of them" in cards:
                    rate = sample.at("messages a second, to the end")
                    yield from _at_most(f"{cards}: messages per second", rate, 0, "")
    memory = results.at("bytes of memory")
    yield from _at_most("memory of a task after 48 answers", memory.at("a task after"), 50_000, "bytes")
    if (card := memory.at("a card").value) is not None:
        yield Row("memory of a card", "–", f"{shown(card)} bytes")


def _clients(results: _Results) -> Iterator[Row]:
    table = results.at("16 tasks")
    for name, client in table:
        costs = ", ".join(
            f"{shown(client.at(key).value)}{unit}"
            for key, unit in (
                ("lag, s", " s"),
                ("questions", " polls"),
                ("connections", " connections"),
                ("CPU", " s CPU"),
                ("threads", " threads"),
                ("memory", " MB"),
            )
        )
        ours = name.startswith("qingbo")
        yield Row(name if ours else "the same tasks", "–" if ours else name, costs)


_ROWS: dict[str, Callable[[_Results], Iterator[Row]]] = {
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
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "bench.json")
    print_summary(json.loads(path.read_text(encoding="utf-8")))
