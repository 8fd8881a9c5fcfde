"""The time from running a cell to a painted studio in JupyterLab: ``python -m tests.benchmarks.paint``."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from .card import CONNECT
from .kernel import NOWHERE
from .kernels import BASELINE
from .pages import PANEL, VISIBLE, NotebookPage, opened, pages
from .parts import print_results

__all__ = ["run"]

RUNS = 5
CONNECTED = BASELINE + CONNECT.format(base=NOWHERE)
STUDIO = "qw.VideoStudio()"
#: Two cells for each state of the kernel: the cell that prepares it, and the timed cell.
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

#: JavaScript that runs a cell, waits for a visible Generate button and prompt field and for the next frame,
#: then for half a second without a change in the output. It resolves to milliseconds since the cell was sent.
TIME = f"""index => new Promise((done, fail) => {{
    {VISIBLE}
    const panel = {PANEL};
    panel.content.activeCellIndex = index;
    const cell = panel.content.widgets[index].node;
    let painted = null, settled = null;
    const observer = new MutationObserver(() => {{ settled = performance.now(); }});
    observer.observe(cell, {{subtree: true, childList: true, attributes: true, characterData: true}});
    const isFormVisible = () => {{
        const output = cell.querySelector('.jp-Cell-outputArea');
        if (!output) return false;
        const buttons = [...output.querySelectorAll('button')];
        return buttons.some(b => b.textContent.trim() === 'Generate' && visible(b))
            && [...output.querySelectorAll('textarea')].some(visible);
    }};
    const began = performance.now();
    const check = () => {{
        const now = performance.now();
        if (now - began > 60000) return fail(new Error('no form after a minute: ' + cell.innerText));
        if (painted === null && isFormVisible()) {{
            requestAnimationFrame(() => {{ painted = performance.now(); }});
        }} else if (painted !== null && now - Math.max(settled, painted) > 500) {{
            observer.disconnect();
            return done({{painted: painted - began, settled: Math.max(settled, painted) - began}});
        }}
        requestAnimationFrame(check);
    }};
    jupyterapp.commands.execute('notebook:run-cell');
    requestAnimationFrame(check);
}})"""


def run() -> Iterator[dict[str, Any]]:
    """Yield milliseconds until the form is painted, and until nothing moves any more."""
    results: dict[str, Any] = {}
    title = "from running the cell to the studio painted in JupyterLab"
    with pages() as (lab, browser):
        for number, (name, cells) in enumerate(FRESH.items()):
            times = []
            for attempt in range(RUNS):
                with opened(lab, browser, f"{number}-{attempt}/paint.ipynb", list(cells)) as page:
                    page.run(0)
                    times.append(page.page.evaluate(TIME, 1))
                    if number == 0 and attempt == RUNS - 1:
                        results[WARM] = _summary([_rerun(page) for _ in range(RUNS)])
            results[name] = _summary(times)
            yield {title: results}


def _rerun(page: NotebookPage) -> Any:
    """Clear the output, run the cell again and return its times."""
    page.command("notebook:clear-all-cell-outputs")
    page.page.wait_for_function("() => !document.querySelector('.jp-Cell-outputArea button')")
    return page.page.evaluate(TIME, 1)


def _summary(times: list[dict[str, float]]) -> dict[str, float]:
    painted = [sample["painted"] for sample in times]
    return {
        "painted, ms, median": statistics.median(painted),
        "painted, ms, least": min(painted),
        "painted, ms, most": max(painted),
        "settled, ms, median": statistics.median(sample["settled"] for sample in times),
    }


if __name__ == "__main__":
    print_results(run())
