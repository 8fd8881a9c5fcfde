"""Notifications of the end of tasks: asked for by a click, once for a task, and in the title of the tab."""

from __future__ import annotations

from harness import Notebook, NotebookPage
from playwright.sync_api import expect

CONNECTED = (
    "import qingbo_widgets as qw\nqw.connect(sandbox=qw.Sandbox(speed=20, draft=True)).poll_interval = 0.25"
)
PATIENCE = 120_000

#: Headless Chromium shows no notifications. What the page would show is kept; whether it may, the test says.
STUB = """permission => {
    window.shown = [];
    window.asked = 0;
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() {
            window.asked += 1;
            return (Notification.permission = permission);
        }
        constructor(title, options) { window.shown.push({ title, ...options }); }
    };
}"""
#: What a page in the background says of itself.
AWAY = """isAway => {
    Object.defineProperty(document, 'visibilityState', {
        configurable: true, get: () => isAway ? 'hidden' : 'visible',
    });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}"""


def away(page: NotebookPage, is_away: bool) -> None:
    """Put the tab into the background, or back into the foreground."""
    page.page.evaluate(AWAY, is_away)


def test_a_user_elsewhere_is_notified(notebook: Notebook) -> None:
    """A click on Notify me asks once; the end is shown once, though two cells have cards of the task."""
    page = notebook(
        [
            CONNECTED,
            "qw.VideoStudio(prompt='a tide')",
            "tasks = [qw.generate(f'koi {number}') for number in range(2)]\ntasks[0].show(); tasks[1].show()",
            "tasks[0].show()",
        ]
    )
    page.page.evaluate("localStorage.removeItem('qingbo-notify')")
    page.page.evaluate(STUB, "granted")
    page.run(0).run(1)
    studio = page.output(1)
    bell = studio.get_by_role("button", name="Notify me")
    expect(bell).to_have_attribute("aria-pressed", "false", timeout=PATIENCE)
    assert page.page.evaluate("asked") == 0, "asked before the user wants anything"
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    assert page.page.evaluate("asked") == 1
    expect(studio.locator(".qingbo-bell-note")).to_be_empty()
    page.screenshot("notify-studio")

    title = page.page.title()
    away(page, True)
    studio.get_by_role("button", name="Generate", exact=True).click()
    page.page.wait_for_function("shown.length === 1", timeout=PATIENCE)
    (notice,) = page.page.evaluate("shown")
    assert (notice["title"], notice["body"]) == ("Video finished", "a tide")
    assert notice["silent"]
    page.page.wait_for_function(f"document.title === '✓ 1 video · {title}'")

    page.page.evaluate("document.title = 'Renamed - JupyterLab'")  # as JupyterLab does it by itself
    page.page.wait_for_function("document.title === '✓ 1 video · Renamed - JupyterLab'")
    page.run(2).run(3)
    page.page.wait_for_function("shown.length === 2", timeout=PATIENCE)
    assert page.page.evaluate("shown[1].title") == "2 videos finished", "one notification for each card"
    page.page.wait_for_function("document.title.startsWith('✓ 3 videos · ')")
    assert page.page.title().count("✓") == 1
    away(page, False)
    page.page.wait_for_function("!document.title.includes('✓')")
    assert page.page.evaluate("shown.length") == 2
    assert page.problems == []


def test_a_browser_that_refuses_still_marks_the_title(notebook: Notebook) -> None:
    """Refused, the button says so; the choice is kept in the browser, also for a notebook loaded again."""
    page = notebook([CONNECTED, "qw.VideoStudio(prompt='a tide')", "1 + 1"])
    page.page.evaluate("localStorage.removeItem('qingbo-notify')")
    page.page.evaluate(STUB, "denied")
    page.run(0).run(1)
    bell = page.output(1).get_by_role("button", name="Notify me")
    bell.click(timeout=PATIENCE)
    expect(page.output(1)).to_contain_text(
        "The browser blocks notifications: only the tab's title is marked."
    )
    page.viewport(400)
    page.screenshot("notify-refused-400")
    page.viewport(1280)
    page.save().reload()
    page.page.evaluate(STUB, "denied")
    expect(bell).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    # Scrolled away, the cell may be taken out of the page: the kernel's widget gets the end all the same.
    away(page, True)
    page.output(1).get_by_role("button", name="Generate", exact=True).click()
    page.page.evaluate("document.querySelectorAll('.qingbo-studio').forEach(studio => studio.remove())")
    page.page.wait_for_function("document.title.startsWith('✓ 1 video · ')", timeout=PATIENCE)
    assert page.page.evaluate("shown") == []
    away(page, False)
    page.page.wait_for_function("!document.title.includes('✓')")
    page.page.evaluate("localStorage.removeItem('qingbo-notify')")
