"""Accessibility of the widgets for screen readers and in contrast, checked by axe-core."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import PATIENCE, Notebook, NotebookPage
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=50, draft=True))\n"
    "manager.poll_interval = 0.25"
)
SHOTS = "qw.Shot('一条锦鲤', 3), qw.Shot('A paper boat', 4)"
FORMS = (
    f"studio = qw.VideoStudio(model='kling-v3', shots=[{SHOTS}])\nstudio",
    "form = qw.RequestForm(model='kling-v1-6', prompt='一条锦鲤', image_urls=['https://127.0.0.1:9/a.png'],"
    " dynamic_masks=[qw.DynamicMask('https://example.com/m.png', [(1, 2), (3, 4)])],"
    " camera_control={'pan': 3, 'zoom': 2}, cfg_scale=7)\nform",
)
REVIEW = (
    "tasks = [qw.generate(prompt, duration=3, enable_audio=False) for prompt in ('koi', '纸船')]\n"
    "for task in tasks: task.wait()",
    "qw.Gallery(manager)",
    "qw.Comparison(tasks)",
    "qw.Pairwise(tasks)",
    "manager.ask_above = 1\nqw.sweep(prompt=['koi', '纸船'], mode=['std', 'pro'], duration=3)",
    "qw.FramePicker(tasks[0])",
    "import qingbo_widgets.sandbox\n"
    "other = qw.Sandbox(faults=qw.sandbox.Faults(html_every=1))\n"
    "qw.connect(sandbox=other).submit(prompt='lost', model='kling-v1')",
)


#: The rules of the guidelines. The checker's other rules are its own advice and change with each release.
GUIDELINES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


def violations(page: NotebookPage, selector: str) -> list[str]:
    """Return the violations that axe-core reports below a selector: rule, element, reason."""
    options: dict[str, Any] = {
        "resultTypes": ["violations"],
        "runOnly": {"type": "tag", "values": [*GUIDELINES]},
        "rules": {"label-title-only": {"enabled": True}},  # a tooltip is not a label
    }
    rules = Axe().run(page.page, context={"include": [[selector]]}, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]}: {node['failureSummary']}"
        for rule in rules
        for node in rule["nodes"]
    ]


def check(page: NotebookPage, cells: Sequence[int], name: str) -> None:
    """Check that the outputs of these cells have no violation in the light and the dark theme."""
    for theme in ("light", "dark"):
        page.theme(theme)
        for cell in cells:
            output = page.output(cell)
            output.scroll_into_view_if_needed()
            output.evaluate("area => area.id = 'checked'")
            page.screenshot(f"access-{name}-{cell}-{theme}", of=output)
            assert violations(page, "#checked") == [], (theme, cell)
            output.evaluate("area => area.removeAttribute('id')")


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_forms_have_names_and_contrast(notebook: Notebook, locale: str) -> None:
    """The open form, its displayed problems and a card with a video have no violation."""
    cells = [f"{CONNECTED}\nfrom qingbo_widgets.i18n import set_locale; set_locale({locale!r})", *FORMS]
    page = notebook(cells).run_all()
    for cell in (1, 2):
        toggles = page.output(cell).locator("button.widget-toggle-button:visible")
        for number in range(toggles.count()):
            toggles.nth(number).click()
    primary = page.output(1).locator("button.mod-primary")
    expect(primary).to_be_enabled()
    primary.click()
    expect(page.output(1).locator("video:visible")).to_have_count(1, timeout=PATIENCE)
    check(page, (1, 2), locale)


def test_the_review_widgets_have_names_and_contrast(notebook: Notebook) -> None:
    """Gallery, comparison, pairs, a sweep before submission and the frame picker have no violation."""
    page = notebook([CONNECTED, *REVIEW]).run_all()
    for cell, text in ((2, "koi"), (4, "better"), (5, "Submit"), (7, "Submit again")):
        expect(page.output(cell)).to_contain_text(re.compile(text), timeout=PATIENCE)
    check(page, range(2, 2 + len(REVIEW) - 1), "review")


def described_by(control: Locator) -> str:
    """Return the text that a screen reader gives with a control."""
    text: str = control.evaluate(
        """e => (e.getAttribute('aria-describedby') ?? '').split(' ')
            .map(id => document.getElementById(id)?.innerText ?? '').join(' ').trim()"""
    )
    return text


def test_messages_and_states_belong_to_their_controls(notebook: Notebook) -> None:
    """A field has its message, and is invalid while that is an error; a button has its state."""
    cells = [CONNECTED, f"qw.VideoStudio(model='kling-v3', image_urls=['x'], shots=[{SHOTS}])"]
    page = notebook(cells).run_all()
    studio = page.output(1)
    url = studio.get_by_label("Image URL")
    expect(url).to_have_attribute("aria-invalid", "true", timeout=PATIENCE)
    assert "public" in described_by(url), "the reason is not read with the field"
    url.fill("")
    expect(url).not_to_have_attribute("aria-invalid", "true")
    expect(url).not_to_have_attribute("aria-describedby", re.compile("."))
    assert "characters" in described_by(studio.get_by_label("Shot 2"))

    more = studio.get_by_role("button", name="More")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(more).to_have_attribute("aria-controls", re.compile("."))
    panel = page.page.locator(f"#{more.get_attribute('aria-controls')}")
    expect(panel).to_be_visible()
    expect(panel).to_have_role("group")
    expect(panel).to_have_accessible_name(re.compile("More"))
    more.click()
    expect(more).to_have_attribute("aria-expanded", "false")

    assert described_by(studio.get_by_role("button", name="Down").first) == "Shot 1"
    studio.get_by_role("button", name="Generate", exact=True).click()
    card = studio.locator(".jupyter-widgets.qingbo-card")
    expect(card).to_have_role("group")
    expect(card).to_have_accessible_name(re.compile("锦鲤"))
    assert page.problems == []
