"""The look of every output in a browser: its own, whatever other cells show; visible in forced colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import PATIENCE, Notebook, NotebookPage
from playwright.sync_api import expect

import qingbo_widgets
from qingbo_widgets.widgets.base import html as markup

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=50, draft=True))\n"
    "manager.poll_interval = 0.25\n"
    "tasks = [qw.generate(prompt, model='kling-v1') for prompt in ('koi', '纸船')]\n"
    "for task in tasks: task.wait()\n"
    "manager.ask_above = 1"
)
#: Each cell shows one kind of output.
CELLS = {
    "studio": "studio = qw.VideoStudio(model='kling-v1-6', prompt='a gull', image_urls=['x'])\nstudio",
    "card": "tasks[0]",
    "gallery": "qw.Gallery(manager)",
    "comparison": "qw.Comparison(tasks)",
    "pairs": "qw.Pairwise(tasks)",
    "sweep": "qw.sweep(prompt=['koi', '纸船'], mode=['std', 'pro'], model='kling-v1')",
    "frames": "qw.FramePicker(tasks[0])",
}
#: The style sheets of the package as they are sent.
SHEETS = [
    markup.CSS,
    *(
        markup.read_css(str(path), path.name)
        for path in sorted(Path(qingbo_widgets.__file__).parent.rglob("*.css"))
        if path.parent.name != "base" and path.name != "export.css"
    ),
]

#: Adds one sheet at a time to the end of the page; returns the elements whose style depends on that.
LAST_ONE_WINS = """sheets => {
    const kinds = new Map(), kind = e => e.tagName + '.' + e.className + ' < ' + e.parentElement.className;
    for (const e of document.querySelectorAll('.jp-OutputArea :is([class*=qingbo], [class*=qingbo] *)'))
        if (e.checkVisibility()) kinds.set(kind(e), e);
    const elements = [...kinds.values()];
    const names = ['display', 'position', 'width', 'height', 'max-width', 'min-width', 'padding', 'margin',
        'border', 'border-radius', 'box-sizing', 'color', 'background', 'font', 'opacity', 'overflow',
        'text-align', 'gap', 'white-space', 'overflow-wrap', 'flex', 'align-items', 'cursor'];
    const read = () => elements.map(e => {
        const style = getComputedStyle(e);
        return names.map(name => name + ': ' + style.getPropertyValue(name));
    });
    const before = read();
    const found = [];
    for (const css of sheets) {
        const sheet = document.createElement('style');
        sheet.textContent = css;
        document.body.append(sheet);
        read().forEach((style, at) => {
            const other = style.filter((line, n) => line !== before[at][n]);
            if (other.length && found.length < 10)
                found.push(css.slice(0, 40) + ' changes ' + elements[at].className + ': ' + other.join('; '));
        });
        sheet.remove();
    }
    return found;
}"""


def open_all(notebook: Notebook, **options: Any) -> NotebookPage:
    """Open a notebook with an output of every kind, and wait until they are drawn."""
    page = notebook([CONNECTED, *CELLS.values()], **options).run_all()
    for number, text in ((1, "Generate"), (3, "koi"), (4, "A: koi"), (5, "better"), (6, "Submit")):
        expect(page.output(number)).to_contain_text(text, timeout=PATIENCE)
    page.page.wait_for_function("document.documentElement.dataset.qingboAria")
    return page


def output_rules() -> list[str]:
    """Return the rules of which an output has only those that it uses."""
    return [",".join(one for one, _ in selectors) + rule for selectors, rule in markup._rules()]


def test_the_look_of_an_output_does_not_depend_on_other_cells(notebook: Notebook) -> None:
    """Whichever sheet or saved rule is the last of the page, while tasks run and after, nothing changes."""
    page = open_all(notebook)
    toggles = page.output(1).locator("button.widget-toggle-button:visible")
    for number in range(5):  # camera, masks, more, presets, the request
        toggles.nth(number).click()
    expect(page.output(1).locator(".qingbo-code").first).to_be_visible()
    page.output(3).locator(".qingbo-tile:visible").first.get_by_role("button").click()
    expect(page.output(3).locator(".qingbo-opened video:visible")).to_have_count(1, timeout=PATIENCE)
    page.page.evaluate("document.querySelectorAll('video').forEach(video => video.pause())")
    faults = page.page.evaluate(LAST_ONE_WINS, SHEETS + output_rules())
    assert not faults, "\n".join(faults)
    widths = {
        name: page.output(number).locator(".qingbo:visible").first.evaluate("e => e.offsetWidth")
        for number, name in enumerate(CELLS, 1)
        if name != "card"
    }
    for name in ("gallery", "comparison", "pairs", "sweep"):
        assert widths[name] > 1000, f"{name} is only {widths[name]} px wide in a page with a studio"


def test_a_card_keeps_its_shape_when_it_ends(notebook: Notebook) -> None:
    """The text of a card stays where it is when its static copy takes its place."""
    cells = [
        "import qingbo_widgets as qw\nmanager = qw.connect(sandbox=qw.Sandbox(speed=5, draft=True))",
        "task = qw.generate('a heron', model='kling-v1')\ntask",
    ]
    page = notebook(cells).run(0)
    box = """element => { const style = getComputedStyle(element);
        return ['padding', 'margin', 'maxWidth', 'border'].map(name => style[name]) }"""
    page.run(1)
    live = page.output(1).locator(".jupyter-widgets.qingbo-card")
    ended = page.output(1).locator(".qingbo-html.qingbo-card:visible")
    running = live.evaluate(box)
    expect(ended).to_have_count(1, timeout=PATIENCE)
    assert ended.evaluate(box) == running
    assert page.problems == []


def test_the_ring_is_seen(notebook: Notebook) -> None:
    """Tab shows a ring of two pixels or more with a contrast of 3:1, and no box cuts it off, in any theme."""
    page = open_all(notebook)
    faults = []
    for theme in ("dark", "light"):
        page.theme(theme)
        for number, name in enumerate(CELLS, 1):
            output = page.output(number)
            output.scroll_into_view_if_needed()
            faults += [f"{name}, {theme}: {fault}" for fault in output.evaluate(RINGS)]
    assert not faults, "\n".join(faults)


#: Focuses each control as a key does, and returns those without a ring that can be seen.
RINGS = """async output => {
    const faults = [], controls = output.querySelectorAll(
        '.qingbo :is(button, input, select, textarea, video, a[href]), .qingbo-html :is(video, a[href])');
    const light = color => {
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = light(getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor);
    for (const control of controls) {
        if (control.disabled || !control.checkVisibility({visibilityProperty: true})) continue;
        control.focus({focusVisible: true, preventScroll: true});
        if (document.activeElement !== control) continue;
        const style = getComputedStyle(control), name = control.outerHTML.slice(0, 90);
        const tone = light(style.outlineColor);
        const contrast = (Math.max(tone, ground) + 0.05) / (Math.min(tone, ground) + 0.05);
        const wide = parseFloat(style.outlineWidth);
        if (style.outlineStyle !== 'solid' || wide < 2) faults.push('no ring: ' + style.outline + ' ' + name);
        else if (contrast < 3) faults.push('contrast ' + contrast.toFixed(1) + ' ' + name);
        const reach = wide + parseFloat(style.outlineOffset), own = control.getBoundingClientRect();
        for (let box = control.parentElement; box.closest('.jp-Cell-outputArea'); box = box.parentElement) {
            if (getComputedStyle(box).overflowX === 'visible') continue;
            const edge = box.getBoundingClientRect();
            if (own.left - reach < edge.left - 0.5 || own.top - reach < edge.top - 0.5)
                faults.push('cut off by ' + box.className + ': ' + name);
        }
    }
    document.activeElement.blur();
    return faults;
}"""


def test_forced_colours_leave_edges_and_states(notebook: Notebook) -> None:
    """With a contrast theme, buttons have edges, an open panel differs, and the bar is filled."""
    page = open_all(notebook)
    page.page.emulate_media(forced_colors="active")
    try:
        page.output(1).locator("button.widget-toggle-button:visible").first.click()
        faults = page.page.evaluate(
            """() => [...document.querySelectorAll('.qingbo button')].filter(button =>
                button.checkVisibility() && !button.closest('.qingbo-tile')
                && getComputedStyle(button).borderTopStyle === 'none')
                .map(button => button.outerHTML.slice(0, 90))"""
        )
        assert faults == [], "buttons without an edge"
        colours = page.page.evaluate(
            """() => ['.mod-active', '.widget-toggle-button:not(.mod-active)', '.progress-bar', '.progress']
                .map(name => getComputedStyle(document.querySelector('.qingbo ' + name)).backgroundColor)"""
        )
        assert colours[0] != colours[1], "an open panel looks like a closed one"
        assert colours[2] != colours[3], "the bar looks empty"
        covers = page.output(1).locator(".qingbo-recent-tile .qingbo-cover:visible")
        expect(covers).to_have_count(2, timeout=PATIENCE)
        colours = covers.evaluate_all("all => all.map(cover => getComputedStyle(cover).color)")
        assert set(colours) == {"rgba(0, 0, 0, 0)"}, "text for screen readers covers the recent videos"
        page.screenshot("forced-colours", of=page.output(1))
    finally:
        page.page.emulate_media(forced_colors="none")
