"""Accessibility of every screen for screen readers and in contrast, checked by axe-core in both themes."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from harness import PATIENCE, Notebook, NotebookPage
from playwright.sync_api import Locator, expect

#: The rules of the guidelines, and the checker's own advice: its version is locked with the tests' packages.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

#: Returns what axe-core finds in the outputs: the number of the cell; the rule, the element and the reason.
FIND = """async tags => {
    const { violations } = await axe.run({ include: [['.jp-OutputArea-output']] }, {
        elementRef: true,
        iframes: false,
        resultTypes: ['violations'],
        runOnly: { type: 'tag', values: tags },
        rules: { 'label-title-only': { enabled: true } },  // a tooltip is not a label
    });
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
    return violations.flatMap(rule => rule.nodes.map(node => [
        cells.indexOf(node.element.closest('.jp-Cell')),
        `${rule.id} (${rule.impact}): ${node.html.slice(0, 200)}: ${node.failureSummary}`,
    ]));
}"""

#: A server for each state that a task can stay in. The last connection is the default of the cells below.
SETUP = """
import os
import qingbo_widgets as qw
from PIL import Image
from qingbo_widgets.sandbox.faults import Faults

storm = Faults(fail="upstream_unavailable", fail_prompt="storm")
server = qw.Sandbox(speed=100, draft=True, faults=storm, api_key="{key}").start()
os.environ["QINGBO_BASE_URL"] = server.base_url
without_key, wrong_key = qw.VideoStudio(), qw.VideoStudio()
del os.environ["QINGBO_BASE_URL"]
refused = qw.connect("sk-refused-1234567890", base_url=server.base_url)

def connected(**options):
    manager = qw.connect(sandbox=qw.Sandbox(draft=True, **options))
    manager.poll_interval = 0.25
    return manager

waiting = connected(speed=0.01)
lost = connected(faults=Faults(html_every=1))
newer = connected(contract="2026-11")
slow = connected(speed=0.25)
long = slow.submit(prompt="a long take", mode="pro", duration=15)
manager = qw.connect(sandbox=server)
manager.poll_interval = 0.25
tasks = [manager.submit(prompt=prompt, duration=3, enable_audio=False) for prompt in ("koi", "纸船", "dusk")]
Image.new("RGB", (640, 480), "teal").save("pond.png")
Image.new("RGBA", (640, 480), (0, 0, 0, 99)).save("mask.png")

def with_all_open(studio):
    for button in studio.form.panels.buttons.values():
        button.value = True
    return studio

for task in tasks:
    task.show()
for task in tasks:
    task.wait()
"""
CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=50, draft=True))\n"
    "manager.poll_interval = 0.25"
)
SHOTS = "qw.Shot('一条锦鲤', 3), qw.Shot('A paper boat', 4)"
KEY = "sandbox-key-1234567890"
CAMERA = "camera_control={'pan': 3, 'zoom': 2}, cfg_scale=7"
MASKS = (
    "dynamic_masks=[qw.DynamicMask('mask.png', [(1, 2), (3, 4)])], static_mask='https://example.com/m.png'"
)
MANY = "'a heron waits in the reeds', 'a tram', 'a kite', 'a tide', 'a storm'"
#: Each cell shows a screen, and text that is there once it is complete.
SCREENS = {
    "finished cards": (f"{SETUP.replace('{key}', KEY)}", "dusk"),
    "no key": ("without_key", "No API key was found"),
    "wrong key in the panel": ("wrong_key", "No API key was found"),
    "wrong key of a connection": ("qw.VideoStudio(refused)", "does not accept this key"),
    "connection": ("manager", "Sandbox: free"),
    "connection with a task from before": ("slow", "a long take"),
    "empty studio": ("with_all_open(qw.VideoStudio())", "Generate"),
    "form with errors": (
        f"with_all_open(qw.VideoStudio(model='kling-v1-6', image_urls=['x'], {CAMERA}))",
        "public",
    ),
    "painted masks": (
        f"with_all_open(qw.VideoStudio(model='kling-v1-6', prompt='koi', image_urls=['pond.png'], {MASKS}))",
        "Path",
    ),
    "shots": (
        "with_all_open(qw.VideoStudio(model='kling-v3', shots=[qw.Shot('', 3), ('b', 4)]))",
        "Shot 2",
    ),
    "form of contract 2026-11": (
        "with_all_open(qw.VideoStudio(newer, model='kling-v3-omni', image_urls=['x', 'pond.png'],"
        " image_with_roles=[{'url': 'pond.png', 'role': 'first_frame'}],"
        " element_list=[{'name': 'koi', 'description': 'a fish', 'element_input_urls': ['pond.png']}]))",
        "koi",
    ),
    "studio at work": (
        "at_work = qw.VideoStudio(duration=3)\n"
        f"for prompt in ({MANY}):\n    at_work.form.prompt = prompt\n    at_work.generate_button.click()\n"
        "at_work",
        "4 finished",
    ),
    "running card": ("long", "Generating"),
    "queued card": ("waiting.submit(prompt='a queue')", "Queued"),
    "failed card": ("manager.submit(prompt='another storm')", "Failed"),
    "unconfirmed card": ("lost.submit(prompt='lost')", "Submit again"),
    "cancelled card": (
        "cancelled = waiting.submit(prompt='not this one')\n"
        "while not cancelled.task_id: pass\n"
        "cancelled.cancel()\ncancelled",
        "Cancelled",
    ),
    "sweep to confirm": ("qw.sweep(prompt=['koi', '纸船'], mode=['std', 'pro'], ask_above=1)", "Submit 4"),
    "running sweep": (
        "qw.sweep(prompt=['koi', '纸船'], mode=['std', 'pro'], manager=slow)",
        "Cancel the rest",
    ),
    "finished sweep": (
        "qw.sweep(prompt=['koi', '纸船'], mode=['std', 'pro'], duration=3, enable_audio=False)",
        "4 finished",
    ),
    "gallery": (
        "gallery = qw.Gallery()\n"
        "gallery.filters.more_button.click()\n"
        "gallery.delete([tasks.pop().key])\n"
        "gallery.selection.change(gallery.library.get(task.key) for task in tasks)\n"
        "gallery.selection.compare_button.click()\n"
        "gallery.selection.tag_button.click()\n"
        "gallery.open_video(tasks[0].key)\n"
        "gallery",
        "Deleted 1 video",
    ),
    "comparison": ("qw.Comparison(tasks)", "B: 纸船"),
    "pairs and ranking": ("pairs = qw.Pairwise(tasks)\npairs.ranking_button.click()\npairs", "Strength"),
    "frames": ("qw.FramePicker(tasks[0])", "Save frame"),
    "list of tasks": ("%load_ext qingbo_widgets\n%qingbo tasks", "koi"),
    "list of models": ("%qingbo models", "kling-v3"),
}
#: Buttons that show a part of a screen; the first of each name is clicked.
OPENERS = {
    "studio at work": ("Frames",),
    "finished sweep": ("Details", "Frames"),
    "running sweep": ("Details",),
}


def findings(page: NotebookPage, screens: Collection[str], state: str) -> list[str]:
    """Return what axe-core finds in each theme: theme, state, screen, rule, element and reason."""
    page.page.evaluate(AXE_SCRIPT)
    page.page.add_style_tag(content=".jp-Cell { content-visibility: visible !important }")
    names, found = list(screens), []
    for theme in ("light", "dark"):
        page.theme(theme)
        for cell, finding in page.page.evaluate(FIND, RULES):
            found.append(f"{theme}, {state}, {names[cell]}: {finding}")
    page.theme("light")
    return found


def open_parts(output: Locator, names: Collection[str]) -> None:
    """Click the first button of each name in an output."""
    for name in names:
        output.get_by_role("button", name=name).first.click()


def open_every_screen(notebook: Notebook) -> NotebookPage:
    """Open a notebook with every screen, and wait until each is complete."""
    page = notebook([source for source, _ in SCREENS.values()]).run_all()
    outputs = {name: page.output(cell) for cell, name in enumerate(SCREENS)}
    wrong = outputs["wrong key in the panel"]
    wrong.locator("input[type=password]").fill("sk-wrong-key-1234567890")
    wrong.get_by_role("button", name="Connect", exact=True).click()
    expect(wrong).to_contain_text("does not accept this key", timeout=PATIENCE)
    for name, (_, text) in SCREENS.items():
        expect(outputs[name], name).to_contain_text(text, timeout=PATIENCE)
    for name, parts in OPENERS.items():
        open_parts(outputs[name], parts)
    page.page.evaluate("document.querySelectorAll('.qingbo-html details').forEach(d => d.open = true)")
    page.page.wait_for_function("document.documentElement.dataset.qingboAria")
    return page


@pytest.mark.timeout(480)  # half a minute on two idle cores, four with many other tests beside it
def test_every_screen_in_both_themes(notebook: Notebook) -> None:
    """No screen breaks a rule of the guidelines, while its kernel runs and after the kernel is gone."""
    page = open_every_screen(notebook)
    found = findings(page, SCREENS, "live")
    page.save().shutdown_kernel().reload()
    for cell in range(len(SCREENS)):
        expect(page.output(cell).locator(".jp-OutputArea-output:visible").first).to_be_visible()
    found += findings(page, SCREENS, "without the kernel")
    assert not found, "\n\n".join(found)


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
    url = studio.get_by_label("Image", exact=True)
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
