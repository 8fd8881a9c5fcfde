"""Stored outputs in a browser: formulas, other colours, screen readers, missing files and scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import PATIENCE, SAVED, Notebook, playable
from playwright.sync_api import Browser, expect

from qingbo_widgets import Comparison, Library, TaskManager, sweep
from qingbo_widgets.exceptions import TaskFailed
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card.shown import mimebundle
from qingbo_widgets.widgets.sweep import static_copy

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True))\n"
    "manager.poll_interval = 0.25"
)
PRICES = r"apples for $2 and melons for $5, \(open\), $$ SALE $$"

#: Every text in #host with its contrast against what is behind it, the lowest first.
CONTRAST = """() => {
    const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    const numbers = text => {
        const canvas = new OffscreenCanvas(1, 1).getContext('2d');
        canvas.fillStyle = text;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
    const ground = element => {
        const chain = [];
        for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e).backgroundColor);
        return chain.reduce((under, text) => over(numbers(text), under), [255, 255, 255]);
    };
    const found = [];
    for (const element of document.querySelectorAll('#host *')) {
        const texts = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim());
        const own = texts.join(' ').trim();
        if (!own || !element.getClientRects().length || element.tagName === 'STYLE') continue;
        const under = ground(element);
        const ink = over(numbers(getComputedStyle(element).color), under);
        const [low, high] = [light(ink), light(under)].sort((a, b) => a - b);
        found.push([(high + 0.05) / (low + 0.05), own.slice(0, 40), element.className]);
    }
    return found.sort((a, b) => a[0] - b[0]);
}"""


def test_prices_are_no_formulas(notebook: Notebook) -> None:
    """Two prices in a prompt stay text where JupyterLab typesets formulas, live and without the kernel."""
    page = notebook(
        [
            CONNECTED,
            f"task = qw.generate({PRICES!r}, duration=3)\ntask",
            "task.wait()\nqw.Comparison([task, task])",
            "from IPython.display import HTML\nHTML('a formula: $x + 1$')",
        ]
    ).run_all()
    formulas = page.page.locator("mjx-container:visible")
    for _ in ("live", "without the kernel"):
        expect(page.output(3).locator("mjx-container")).to_have_count(1, timeout=PATIENCE)
        for cell in (1, 2):
            expect(page.output(cell)).to_contain_text(PRICES, timeout=PATIENCE)
        expect(formulas).to_have_count(1)
        page.save().shutdown_kernel().reload()


def test_the_end_of_a_task_is_announced(notebook: Notebook) -> None:
    """A screen reader hears each status once, without percents, and nothing when the page is loaded again."""
    page = notebook([CONNECTED.replace("speed=20", "speed=5"), "qw.VideoStudio(prompt='a tide')"]).run_all()
    page.page.evaluate(
        """() => {
            window.heard = [];
            new MutationObserver(changes => {
                for (const { target } of changes) {
                    const region = (target.closest ? target : target.parentElement)?.closest('[role=status]');
                    if (region?.id === 'qingbo-announcements') heard.push(region.textContent);
                }
            }).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    page.output(1).get_by_role("button", name="Generate", exact=True).click()
    page.page.wait_for_function(
        "heard.some(text => /^Finished, \\d+ s: a tide$/.test(text))", timeout=2 * PATIENCE
    )
    heard = [text for text in page.page.evaluate("heard") if text]
    assert len(heard) == len(set(heard)) <= 4, heard
    assert not any("%" in text for text in heard)
    page.save().reload()
    expect(page.output(1).locator("video:visible")).to_have_count(1, timeout=PATIENCE)
    assert page.page.locator("#qingbo-announcements").text_content() == ""


def test_a_reopened_notebook_has_no_lines_about_dead_widgets(notebook: Notebook) -> None:
    """The static copy stands alone where JupyterLab has "Error displaying widget: model not found"."""
    page = notebook(
        [
            CONNECTED,
            "qw.VideoStudio()",
            "qw.Gallery()",
            "task = qw.generate('a tide', duration=3)\nqw.Comparison([task.wait(), task])",
        ]
    ).run_all()
    expect(page.output(3).get_by_role("button", name="Play")).to_be_visible(timeout=PATIENCE)
    page.save().shutdown_kernel().reload()
    for cell in (1, 2):
        expect(page.output(cell).get_by_text("run this cell")).to_be_visible(timeout=PATIENCE)
    expect(page.output(3).locator("figure:visible video")).to_have_count(3)  # the task's, and the pair
    errors = page.page.get_by_text("Error displaying widget")
    expect(errors).to_have_count(3)
    for number in range(3):
        expect(errors.nth(number)).to_be_hidden()


def test_a_card_does_not_jump_at_its_end(notebook: Notebook) -> None:
    """The live card has the padding of the finished one, whichever outputs the page has."""
    page = notebook(
        [
            CONNECTED,
            "qw.generate('a tide', duration=3).wait()",
            "qw.connect(sandbox=qw.Sandbox(speed=0.1, draft=True), library='slow')\n"
            "qw.generate('ebb', duration=3)",
        ]
    ).run_all()
    expect(page.output(1).locator("video")).to_have_count(1, timeout=PATIENCE)  # wait() shows it once
    live, finished = (page.output(cell).locator(".qingbo-card:visible") for cell in (2, 1))
    expect(live).to_have_count(1, timeout=PATIENCE)
    padding = finished.evaluate("card => getComputedStyle(card).padding")
    assert padding != "0px"
    expect(live).to_have_css("padding", padding)


#: Counts the videos that are ever put into the page.
COUNT_VIDEOS = """() => {
    window.videosPutIn = 0;
    new MutationObserver(changes => {
        for (const { addedNodes } of changes)
            for (const node of addedNodes)
                if (node.querySelectorAll)
                    window.videosPutIn += node.querySelectorAll('video').length + (node.tagName === 'VIDEO');
    }).observe(document.body, { subtree: true, childList: true });
}"""

#: Plays each visible video for a moment; returns how many play, and how many others there are.
PLAY_ALL = """async () => {
    const counts = { playing: 0, dead: 0, loaded: 0, without: 0 };
    const videos = [...document.querySelectorAll('.jp-OutputArea video')].filter(v => v.checkVisibility());
    for (const video of videos) {
        if (video.readyState > 0) counts.loaded++;
        const picture = video.previousElementSibling;
        if (picture?.tagName !== 'IMG') counts.without++;
        video.scrollIntoView({ block: 'center' });
        video.muted = true;
        const late = new Promise((_, fail) => setTimeout(() => fail(new Error('late')), 20000));
        await Promise.race([video.play(), late]).then(() => counts.playing++, () => counts.dead++);
        video.pause();
    }
    return counts;
}"""


def test_sixty_videos_of_a_studio_all_play(notebook: Notebook) -> None:
    """Each of sixty videos has a picture and plays, and few players are put into the page for them."""
    page = notebook(
        [
            CONNECTED.replace("speed=20", "speed=100"),
            "studio = qw.VideoStudio(duration=3)\nstudio",
            "import asyncio\nfor number in range(60):\n    studio.form.prompt = f'tide {number}'\n"
            "    studio.generate_button.click()\n    await asyncio.sleep(0.1)\n"
            "for card in studio.cards: await card.task\nprint(len(studio.cards), 'cards')",
        ]
    )
    page.page.evaluate(COUNT_VIDEOS)
    page.run_all()
    expect(page.output(2)).to_contain_text("60 cards")
    expect(page.output(1)).to_contain_text("60 finished", timeout=PATIENCE)
    expect(page.output(1).locator("video:visible")).to_have_count(3, timeout=PATIENCE)
    lines = page.output(1).locator(".qingbo-line .qingbo-cover:visible")
    assert lines.count() == 57, "the older cards are a line each"
    lines.evaluate_all("lines => lines.forEach(line => line.click())")
    expect(page.output(1).locator("video:visible")).to_have_count(60, timeout=PATIENCE)
    # A video whose poster took long is loaded without one.
    counts = page.page.evaluate(PLAY_ALL)
    assert (counts["playing"], counts["dead"]) == (60, 0)
    assert counts["loaded"] <= 10, "the page loads videos that nobody plays"
    assert counts["without"] <= 10, "players without a picture"
    assert page.page.evaluate("window.videosPutIn") < 1000, "each change sends all tasks again"
    page.save().shutdown_kernel().reload()
    expect(page.output(1).locator("video:visible")).to_have_count(60, timeout=PATIENCE)
    assert page.path.stat().st_size < 300_000, "the pictures are in the notebook"


def test_a_video_that_is_watched_is_not_interrupted(notebook: Notebook) -> None:
    """A user who watches from the service's link goes on watching when the file is saved."""
    page = notebook(
        [
            CONNECTED,
            "task = qw.generate('a tide', duration=5).wait()",
            "from qingbo_widgets.tasks.task import Task\n"
            "slow = Task(manager, task.request, task_id='task-x')\n"
            "slow.set_traits(status=task.status, video_urls=task.video_urls, download=0.1)\nslow",
            "slow.set_traits(download=None, video_path=task.video_path)",
        ]
    )
    page.run(0).run(1).run(2)
    video = page.output(2).locator("video:visible")
    expect(video).to_have_attribute("src", re.compile("^http"), timeout=PATIENCE)
    playable(video)
    video.evaluate("async v => { window.watched = v; v.muted = true; await v.play() }")
    page.run(3)
    expect(page.output(2)).to_contain_text("qingbo_videos/a-tide", timeout=PATIENCE)
    expect(page.output(2).locator("video:visible")).to_have_count(1)
    assert page.page.evaluate("window.watched.checkVisibility() && !window.watched.paused"), "it was stopped"
    page.save().shutdown_kernel().reload()
    expect(page.output(2).locator("video:visible")).to_have_attribute("src", SAVED, timeout=PATIENCE)


def test_a_page_without_anywidget(notebook: Notebook) -> None:
    """Without anywidget, a comparison says so, its videos have controls, and keys stay in the controls."""
    page = notebook(
        [
            CONNECTED,
            "tasks = [qw.generate(name, duration=3) for name in ('koi', 'boat')]\n"
            "for task in tasks: task.wait()",
            "qw.Comparison(tasks)",
            "qw.VideoStudio(prompt='a tern')",
        ]
    )
    page.page.route("**/extensions/anywidget/**", lambda route: route.abort())
    page.reload().run_all()
    comparison = page.output(2)
    expect(comparison.get_by_text("pip install anywidget")).to_be_visible(timeout=PATIENCE)
    expect(comparison.locator("video[controls]:visible")).to_have_count(2)
    page.output(3).get_by_role("button", name="Generate", exact=True).click()
    expect(page.output(3).locator("video:visible")).to_have_count(1, timeout=PATIENCE)
    cells = page.page.locator(".jp-Notebook .jp-Cell")
    for control in (page.output(3).get_by_label("Duration"), page.output(2).locator("video").first):
        control.focus()
        page.page.keyboard.type("bdd")
        expect(control).to_be_focused()
        expect(cells).to_have_count(4)
    for cell in (2, 3):
        assert "javascript error" not in page.output_text(cell)
    page.page.unroute("**/extensions/anywidget/**")
    page.reload().run_all()
    expect(page.output(2).get_by_role("button", name="Play")).to_be_enabled(timeout=PATIENCE)
    expect(page.output(2).get_by_text("pip install anywidget")).to_be_hidden()
    expect(page.output(2).locator("video[controls]:visible")).to_have_count(0)


def test_a_player_without_its_file_says_why(notebook: Notebook) -> None:
    """A line below a player appears when the page cannot get the file, and only then."""
    page = notebook([CONNECTED, "task = qw.generate('koi', duration=3).wait()\ntask.show()"]).run_all()
    line = page.output(1).get_by_text("This page cannot load the video")
    playable(page.output(1).locator("video:visible").last)
    expect(line.last).to_be_hidden()
    for path in page.path.parent.rglob("*.mp4"):
        path.unlink()
    page.save().reload()
    page.problems.clear()
    page.output(1).locator("video:visible").last.evaluate("video => { video.play().catch(() => {}) }")
    expect(line.last).to_be_visible(timeout=PATIENCE)
    for path in page.path.parent.rglob("posters/*.jpg"):
        path.unlink()
    page.reload()
    expect(line.last).to_be_visible(timeout=PATIENCE)  # without a click, where the page gets no files at all
    page.problems.clear()  # the page asked for the files that are gone


@pytest.mark.parametrize(
    ("scheme", "ink", "ground"), [("dark", "#d5d5d5", "#1e1e1e"), ("light", "#212121", "#ffffff")]
)
def test_pages_without_the_colours_of_jupyter(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, ink: str, ground: str
) -> None:
    """Colab and pages of documentation are dark without setting a variable, and every text can be read."""
    monkeypatch.chdir(tmp_path)
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    with Sandbox(speed=50, draft=True) as sandbox:
        client = Client(sandbox.api_key, sandbox.base_url)
        with TaskManager(client, Library(tmp_path / "qingbo_videos")) as manager:
            finished = manager.submit(prompt="a lagoon", duration=3).wait()
            running, failed = (Task(manager, VideoRequest(prompt="a delta")) for _ in range(2))
            running.set_traits(task_id="task-2", status=TaskStatus.processing, message="Please wait.")
            failed.set_traits(task_id="task-3", status=TaskStatus.failed, error=TaskFailed("No luck."))
            planned = sweep(prompt=["x", "y"], duration=3, manager=manager, ask_above=0)
            comparison = Comparison([finished, finished])
            outputs = {
                "finished": mimebundle(finished)["text/html"],
                "running": mimebundle(running)["text/html"],
                "failed": mimebundle(failed)["text/html"],
                "a sweep": static_copy.mimebundle(planned)["text/html"],
                "a comparison": comparison._static_copy(),
            }
            exported = finished.export_html(tmp_path / "page.html").read_text("utf-8")
            comparison.close()
    host = f"color-scheme: {scheme}; background: {ground}; color: {ink}; font-family: sans-serif"
    for name, html in outputs.items():
        page.set_content(f'<body style="{host}"><div id="host">{html}</div></body>')
        texts = page.evaluate(CONTRAST)
        assert texts, name
        assert texts[0][0] >= 4.5, (name, texts[:3])
    page.set_content(exported.replace("<body>", '<body id="host">'))
    texts = page.evaluate(CONTRAST)
    assert texts[0][0] >= 4.5, ("the exported page", texts[:3])
    page.context.close()
