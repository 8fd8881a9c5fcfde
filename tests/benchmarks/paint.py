"""From running a cell to the studio painted in JupyterLab: ``python -m tests.benchmarks.paint``."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from .card import CONNECT
from .kernel import NOWHERE
from .kernels import BASELINE
from .pages import PANEL, VISIBLE, NotebookPage, opened, pages
from .parts import tell

__all__ = ["run"]

RUNS = 5
CONNECTED = BASELINE + CONNECT.format(base=NOWHERE)
STUDIO = "qw.VideoStudio()"
#: By what the kernel has done before: the cell for that, and the one that is timed.
FRESH = {
    "new page and kernel, imports and connect() done": (CONNECTED, STUDIO),
    "new page and kernel, the cell imports and connects too": (
        BASELINE,
        CONNECT.format(base=NOWHERE) + STUDIO,
    ),
    "new page and kernel, with connect(sandbox=True)": (
        BASELINE,
        "import qingbo_widgets as qw\nqw.connect(sandbox=True)\nqw.VideoStudio()",
    ),
}
WARM = "same page and kernel, the cell run again"

#: Runs a cell and waits until Generate and the prompt's field can be seen, and for the frame after; then
#: until nothing in the output has changed for half a second. Milliseconds from before the cell was sent.
TIME = f"""index => new Promise((done, fail) => {{
    {VISIBLE}
    const panel = {PANEL};
    panel.content.activeCellIndex = index;
    const cell = panel.content.widgets[index].node;
    let painted = null, settled = null;
    const observer = new MutationObserver(() => {{ settled = performance.now(); }});
    observer.observe(cell, {{subtree: true, childList: true, attributes: true, characterData: true}});
    const is_there = () => {{
        const output = cell.querySelector('.jp-Cell-outputArea');
        if (!output) return false;
        const buttons = [...output.querySelectorAll('button')];
        return buttons.some(b => b.textContent.trim() === 'Generate' && visible(b))
            && [...output.querySelectorAll('textarea')].some(visible);
    }};
    const began = performance.now();
    const look = () => {{
        const now = performance.now();
        if (now - began > 60000) return fail(new Error('no form after a minute: ' + cell.innerText));
        if (painted === null && is_there()) {{
            requestAnimationFrame(() => {{ painted = performance.now(); }});
        }} else if (painted !== null && now - Math.max(settled, painted) > 500) {{
            observer.disconnect();
            return done({{painted: painted - began, settled: Math.max(settled, painted) - began}});
        }}
        requestAnimationFrame(look);
    }};
    jupyterapp.commands.execute('notebook:run-cell');
    requestAnimationFrame(look);
}})"""


def run() -> Iterator[dict[str, Any]]:
    """Milliseconds until the form is painted, and until nothing moves any more."""
    told: dict[str, Any] = {}
    title = "from running the cell to the studio painted in JupyterLab"
    with pages() as (lab, browser):
        for number, (name, cells) in enumerate(FRESH.items()):
            times = []
            for turn in range(RUNS):
                with opened(lab, browser, f"{number}-{turn}/paint.ipynb", list(cells)) as page:
                    page.run(0)
                    times.append(page.page.evaluate(TIME, 1))
                    if number == 0 and turn == RUNS - 1:
                        told[WARM] = _summed([_again(page) for _ in range(RUNS)])
            told[name] = _summed(times)
            yield {title: told}


def _again(page: NotebookPage) -> Any:
    """The cell once more, after its output is gone."""
    page.command("notebook:clear-all-cell-outputs")
    page.page.wait_for_function("() => !document.querySelector('.jp-Cell-outputArea button')")
    return page.page.evaluate(TIME, 1)


def _summed(times: list[dict[str, float]]) -> dict[str, float]:
    painted = [one["painted"] for one in times]
    return {
        "painted, ms, median": statistics.median(painted),
        "painted, ms, least": min(painted),
        "painted, ms, most": max(painted),
        "settled, ms, median": statistics.median(one["settled"] for one in times),
    }


if __name__ == "__main__":
    tell(run())
