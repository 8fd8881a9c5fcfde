"""The focus when its control is removed, hidden or disabled: never nowhere, never on a paid button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness import PATIENCE, Notebook, NotebookPage
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\nimport qingbo_widgets.sandbox\n"
    "sandbox = qw.Sandbox(speed=50, draft=True)\n"
    "manager = qw.connect(sandbox=sandbox)\n"
    "manager.poll_interval = 0.25"
)
SHOTS = "qw.Shot('one', 3), qw.Shot('two', 3), qw.Shot('three', 3)"
MASKS = ", ".join(f"qw.DynamicMask('https://127.0.0.1:9/{n}.png', [(1, 2), (3, 4)])" for n in (1, 2))
FORM = (
    "qw.RequestForm(model='kling-v1-6', prompt='koi', image_urls=['https://127.0.0.1:9/a.png'],"
    f" dynamic_masks=[{MASKS}])"
)

#: Records at every frame whether nothing has the focus.
RECORDER = """() => {
    window.fell = [];
    window.step = '';
    const left = window.left;
    const look = () => {
        if (window.left !== left) return;
        const element = document.activeElement;
        const isPaid = element?.matches('.qingbo-pays, .mod-primary') && element !== window.pressed;
        const what = !element || element === document.body ? 'nothing' : isPaid ? element.innerText : '';
        if (window.step && what) window.fell.push(window.step + ': ' + what + ' has the focus');
        requestAnimationFrame(look);
    };
    look();
}"""


def ready(page: NotebookPage) -> NotebookPage:
    """Wait for the script, and record from now on where the focus is."""
    page.page.wait_for_function("document.documentElement.dataset.qingboFocus")
    page.page.evaluate(RECORDER)
    return page


@contextmanager
def pressing(page: NotebookPage, control: Locator) -> Iterator[None]:
    """Press a control by its key; check after its effect that something has had the focus all the time."""
    expect(control).to_be_enabled()
    control.focus()
    control.evaluate("e => { window.pressed = e; window.step = e.innerText }")
    page.page.keyboard.press("Enter")
    yield
    page.page.wait_for_timeout(300)  # what is drawn after the effect takes the focus only then
    page.page.evaluate("window.step = ''")
    assert page.page.evaluate("[...new Set(window.fell)]") == []


def focused(page: NotebookPage) -> str:
    """Return the label of what has the focus."""
    label: str = page.page.evaluate(
        """() => { const e = document.activeElement;
            return e.labels?.[0]?.innerText ?? e.getAttribute('aria-label') ?? e.innerText }"""
    )
    return label.strip()


def test_the_focus_of_a_studio_is_never_lost(notebook: Notebook) -> None:
    """Generate, Cancel at the end of its task, Frames, and the buttons of a shot leave the focus near."""
    cells = [
        CONNECTED.replace("50", "3"),
        f"qw.VideoStudio(model='kling-v3', shots=[{SHOTS}])",
        "manager.poll_interval = 6",
    ]
    page = ready(notebook(cells).run(0).run(1))
    studio = page.output(1)
    for _ in range(2):
        with pressing(page, studio.get_by_role("button", name="Remove").last):
            expect(studio.get_by_label("Shot 3")).to_be_hidden()
        studio.get_by_role("button", name="Add a shot").click()
        expect(studio.get_by_label("Shot 3")).to_be_visible()
    studio.get_by_label("Shot 3").fill("three")
    generate = studio.get_by_role("button", name="Generate", exact=True)
    with pressing(page, generate):
        expect(studio.locator(".jupyter-widgets.qingbo-card")).to_have_count(1)
        expect(generate).to_be_focused()
        expect(studio.locator("video:visible")).to_have_count(1, timeout=PATIENCE)
    assert focused(page) == "Generate"
    with pressing(page, studio.get_by_role("button", name="Frames")):
        expect(studio.get_by_role("button", name="Save frame")).to_be_visible()
    page.run(2)  # until the next poll the card is queued, and Cancel enabled
    generate.click()
    cancel = studio.get_by_role("button", name="Cancel")
    expect(cancel).to_be_enabled()
    cancel.focus()
    expect(cancel).to_be_focused()
    page.page.evaluate("window.step = 'Cancel, whose task goes on'")
    expect(studio.locator("video:visible")).to_have_count(2, timeout=PATIENCE)
    page.page.wait_for_timeout(300)
    assert page.page.evaluate("[...new Set(window.fell)]") == []
    assert page.page.evaluate("document.activeElement.closest('.qingbo-card') !== null"), focused(page)
    assert page.problems == []


def test_the_focus_of_rows_and_pages_is_never_lost(notebook: Notebook) -> None:
    """Removing a mask, turning to the last page and back, and leaving a panel keep the focus near."""
    cells = [
        CONNECTED,
        FORM,
        "manager.ask_above = 1\nqw.sweep(prompt=[f'koi {n}' for n in range(9)], mode=['std', 'pro'],"
        " model='kling-v1')",
    ]
    page = ready(notebook(cells).run_all())
    form, sweep = page.output(1), page.output(2)
    masks = form.get_by_role("button", name="Motion brush")
    with pressing(page, masks):
        expect(form.get_by_label("Dynamic mask 2", exact=True)).to_be_visible()
    assert masks.get_attribute("aria-expanded") == "true"
    for left in (1, 0):
        with pressing(page, form.get_by_role("button", name="Remove").first):
            expect(form.get_by_role("textbox", name=re.compile(r"^Path \d"))).to_have_count(left)
    assert focused(page) not in ("", "Generate")
    for name in ("Next", "Previous"):
        with pressing(page, sweep.get_by_role("button", name=name)):
            expect(sweep.get_by_role("button", name=name)).to_be_disabled()
    assert focused(page) == "Next", "the button that turned the page is off, its neighbour is on"
    assert page.problems == []


def test_the_focus_of_a_panel_for_the_key_goes_to_the_form(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the form takes the place of the panel, it takes the focus."""
    monkeypatch.delenv("QINGBO_API_KEY", raising=False)
    page = ready(notebook(["import qingbo_widgets as qw\nqw.VideoStudio()", "qw.VideoStudio()"]).run(0))
    panel = page.output(0)
    with pressing(page, panel.get_by_role("button", name="Use the sandbox")):
        expect(panel.get_by_label("Prompt", exact=True)).to_be_visible()
        page.page.wait_for_function("document.activeElement.closest('.qingbo-studio')")
    assert page.problems == []


def test_the_focus_of_an_unconfirmed_card_is_never_lost(notebook: Notebook) -> None:
    """Check and Submit again are gone after the click; the focus stays in the card."""
    cells = [
        CONNECTED + "\nsandbox.faults = qw.sandbox.Faults(html_every=1)",
        "task = qw.generate('koi', model='kling-v1')\ntask",
        "sandbox.faults = qw.sandbox.Faults()",
    ]
    page = ready(notebook(cells).run(0).run(1))
    card = page.output(1)
    expect(card.get_by_label("Task id")).to_be_visible(timeout=PATIENCE)
    page.run(2)
    with pressing(page, card.get_by_role("button", name="Check")):
        expect(card).to_contain_text("dashboard")
    with pressing(page, card.get_by_role("button", name="Submit again")):
        expect(card.locator("video:visible")).to_have_count(1, timeout=PATIENCE)
    assert page.page.evaluate("document.activeElement.closest('.jp-Cell') !== null"), focused(page)
    assert page.problems == []
