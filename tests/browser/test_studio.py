"""Use of the studio and the cards in a browser."""

from __future__ import annotations

import json
import re
import shutil

from harness import PANEL, PATIENCE, SAVED, Notebook, NotebookPage, Recorder, playable, seek
from playwright.sync_api import Locator, expect

from qingbo_widgets.sandbox import Sandbox
from tests.waiting import until

PROMPT = "一条锦鲤在清澈的池塘中游动，水面波光粼粼"
#: The player in an output that needs no kernel: the static copy, or what has replaced the card.
STORED_VIDEO = ".jp-RenderedHTMLCommon:not(.jupyter-widgets *) video"


def connected(speed: float, draft: bool = True) -> str:
    """Return a first cell: a sandbox that is polled often, so that a short task still shows several steps."""
    return (
        "import qingbo_widgets as qw\n"
        f"manager = qw.connect(sandbox=qw.Sandbox(speed={speed}, draft={draft}))\n"
        "manager.poll_interval = 0.25"
    )


def videos(page: NotebookPage, cell: int) -> Locator:
    """Return the visible players in a cell's output."""
    return page.output(cell).locator("video:visible")


def wait_for_file(page: NotebookPage, cell: int) -> None:
    """Wait until the only player in a cell's output plays the saved file."""
    video = videos(page, cell)
    expect(video).to_have_count(1, timeout=2 * PATIENCE)
    expect(video).to_have_attribute("src", SAVED, timeout=PATIENCE)


def write_and_generate(page: NotebookPage, cell: int, prompt: str) -> None:
    """Enter a prompt into the studio of a cell and press Generate."""
    page.output(cell).get_by_label("Prompt", exact=True).fill(prompt)
    button = page.output(cell).get_by_role("button", name="Generate", exact=True)
    expect(button).to_be_enabled()
    button.click()


def restart(page: NotebookPage) -> None:
    """Restart the kernel, as the menu does."""
    page.page.evaluate(f"() => {PANEL}.sessionContext.session.kernel.restart().then(() => null)")


def percents(values: list[str]) -> list[float]:
    """Return the recorded widths of a bar as numbers."""
    return [float(value.removesuffix("%")) for value in values]


def test_a_video_from_a_prompt(notebook: Notebook) -> None:
    """A prompt gives a moving bar and a video that supports seeking and is still there after a reload."""
    page = notebook([connected(speed=5, draft=False), "studio = qw.VideoStudio()\nstudio"]).run_all()
    bar = Recorder(page.page, ".qingbo-card .progress-bar", "element.style.width")
    expect(page.output(1).get_by_role("button", name="Generate", exact=True)).to_be_disabled()
    write_and_generate(page, 1, PROMPT)
    expect(page.output(1)).to_contain_text("Generating", timeout=PATIENCE)
    page.screenshot("studio-running")

    wait_for_file(page, 1)
    state = playable(videos(page, 1))
    assert (state["width"], state["height"]) == (1280, 720)
    assert abs(state["duration"] - 5) < 0.2
    assert "/files/" in state["src"], "Jupyter resolves the relative path to a file it serves"
    assert "/qingbo_videos/" in state["src"]
    assert abs(seek(videos(page, 1), 3.0) - 3.0) < 0.1
    moved = percents(bar.values)
    assert len(moved) >= 4, moved
    # After the highest value comes the download, for which the bar starts from 0 again.
    progress = moved[: moved.index(max(moved)) + 1]
    assert progress == sorted(progress), "the bar moves backwards"
    expect(page.output(1)).to_contain_text("Finished")

    for theme in ("light", "dark"):
        page.theme(theme).screenshot(f"studio-finished-{theme}")
    page.theme("light")

    page.save().reload()
    # Until the form is back, the static copy shows the video.
    expect(page.output(1).get_by_role("button", name="Generate", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(videos(page, 1)).to_have_count(1, timeout=PATIENCE)
    assert playable(videos(page, 1))["width"] == 1280
    assert page.problems == []


def test_two_tasks_at_once(notebook: Notebook) -> None:
    """A second task is submitted while the first runs; both bars move, and both videos play."""
    page = notebook([connected(speed=2), "studio = qw.VideoStudio()\nstudio"]).run_all()
    write_and_generate(page, 1, "雪山日出，云海翻涌")
    expect(page.output(1).locator(".qingbo-card .progress-bar:visible")).to_have_count(1)
    write_and_generate(page, 1, "竹林里，熊猫正在打滚")
    expect(page.output(1).locator(".qingbo-card .progress-bar:visible")).to_have_count(2)
    page.screenshot("studio-two-at-once")
    expect(videos(page, 1)).to_have_count(2, timeout=2 * PATIENCE)
    for number in range(2):
        expect(videos(page, 1).nth(number)).to_have_attribute("src", SAVED)
    sources = {playable(videos(page, 1).nth(n))["src"].partition("?")[0] for n in range(2)}
    assert len(sources) == 2
    assert page.problems == []


def test_videos_outlive_the_kernel(notebook: Notebook) -> None:
    """The studio's video and the task's still play after the kernel is shut down and the page reloaded."""
    page = notebook(
        [connected(speed=20), "studio = qw.VideoStudio()\nstudio", "task = qw.generate('一只猫')\ntask"]
    ).run_all()
    write_and_generate(page, 1, PROMPT)
    for cell in (1, 2):
        wait_for_file(page, cell)
    # The notebook stores the static copy, which is written a moment after the card is drawn.
    expect(page.output(1).locator("[class*=qingbo-static-copy] video")).to_have_count(1)
    expect(page.output(2).locator(STORED_VIDEO)).to_have_count(1)
    page.save().shutdown_kernel().reload()
    for cell in (1, 2):
        expect(videos(page, cell)).to_have_count(1, timeout=PATIENCE)
        assert playable(videos(page, cell))["duration"] > 4
    page.screenshot("kernel-gone")
    assert page.problems == []


def test_a_task_at_the_end_of_a_cell_is_a_live_card(notebook: Notebook) -> None:
    """The card moves while the kernel is free for other cells, and becomes the video."""
    page = notebook([connected(speed=5), "task = qw.generate('一只猫')\ntask", "print('free', 6 * 7)"])
    bar = Recorder(page.page, ".qingbo-card .progress-bar", "element.style.width")
    page.run_all()
    expect(page.output(2)).to_contain_text("free 42")
    expect(videos(page, 1)).to_have_count(0)
    expect(videos(page, 1)).to_have_count(1, timeout=2 * PATIENCE)
    assert playable(videos(page, 1))["duration"] > 4
    assert len(bar.values) >= 3
    expect(page.output(1).locator(".progress-bar:visible")).to_have_count(0)


def test_a_reload_while_a_task_runs(notebook: Notebook) -> None:
    """A reload while a task runs loses nothing: the card comes back and shows the video at the end."""
    page = notebook([connected(speed=2), "task = qw.generate('一只猫')\ntask"]).run_all()
    expect(page.output(1)).to_contain_text("Generating", timeout=PATIENCE)
    page.save().reload()
    expect(page.output(1)).to_contain_text("Generating", timeout=PATIENCE)
    page.screenshot("reloaded-while-running")
    expect(videos(page, 1)).to_have_count(1, timeout=2 * PATIENCE)
    assert playable(videos(page, 1))["duration"] > 4


def test_the_kernel_dies_while_a_task_runs(notebook: Notebook) -> None:
    """The page keeps the line of code that resumes the task, and running that line resumes it."""
    with Sandbox(speed=2, draft=True) as sandbox:
        page = notebook(
            [
                f"import os\nos.environ['QINGBO_API_KEY'] = '{sandbox.api_key}'\n"
                f"import qingbo_widgets as qw\nqw.connect(base_url='{sandbox.base_url}')",
                "task = qw.generate('一只猫')\ntask",
                "'the line goes here'",
            ]
        ).run_all()
        copy = page.output(1).locator(".qingbo-keep")  # the static copy, written a moment after the card
        expect(copy.locator("pre code")).to_contain_text(".resume(", timeout=PATIENCE)
        page.save().shutdown_kernel().reload()
        copy = page.output(1).locator(".qingbo-keep:visible")
        expect(copy).to_contain_text("一只猫", timeout=PATIENCE)
        page.screenshot("kernel-died-while-running")
        line = copy.locator("pre code").inner_text()
        assert ".resume(" in line

        page.run(0).write(2, line).run(2)
        expect(videos(page, 2)).to_have_count(1, timeout=2 * PATIENCE)
        assert playable(videos(page, 2))["duration"] > 4
        # The first output already had the player. Now its file exists, saved by a kernel that did not run it.
        copy.locator("video").evaluate("video => { video.preload = 'auto'; video.load() }")
        assert playable(copy.locator("video"))["duration"] > 4


def test_an_untrusted_copy_plays(notebook: Notebook) -> None:
    """A notebook from another user, whose outputs Jupyter does not trust, still plays its videos."""
    page = notebook([connected(speed=20), "task = qw.generate('一只猫')\ntask"]).run_all()
    wait_for_file(page, 1)
    expect(page.output(1).locator(STORED_VIDEO)).to_have_count(1)
    page.save().shutdown_kernel()
    received = json.loads(page.path.read_text(encoding="utf-8"))
    received["metadata"]["from"] = "another user"  # so that our signature does not match
    copy = page.path.parent / "received" / "copy.ipynb"
    shutil.copytree(page.path.parent / "qingbo_videos", copy.parent / "qingbo_videos")
    copy.write_text(json.dumps(received), encoding="utf-8")

    other = notebook([], path=copy)
    trusted = "() => [...jupyterapp.shell.widgets('main')][0].content.widgets.map(cell => cell.model.trusted)"
    assert other.page.evaluate(trusted) == [False, False], "the copy is trusted"
    expect(videos(other, 1)).to_have_count(1, timeout=PATIENCE)
    assert playable(videos(other, 1))["duration"] > 4
    assert other.problems == []


def test_a_narrow_window(notebook: Notebook) -> None:
    """In a window as narrow as a phone, no part of the studio is cut off on the right."""
    page = notebook([connected(speed=20), "studio = qw.VideoStudio()\nstudio"], width=480).run_all()
    write_and_generate(page, 1, PROMPT)
    expect(videos(page, 1)).to_have_count(1, timeout=2 * PATIENCE)
    playable(videos(page, 1))
    page.screenshot("studio-narrow")
    outside = page.output(1).evaluate(
        """area => {
            const right = area.getBoundingClientRect().right + 1;
            return [...area.querySelectorAll('button, input, select, textarea, video, .qingbo-card')]
                .filter(element => element.getBoundingClientRect().right > right)
                .map(element => element.outerHTML.slice(0, 120));
        }"""
    )
    assert outside == []


def test_after_a_restart_nothing_looks_lost(notebook: Notebook) -> None:
    """Once the kernel has gone, the page says that the tasks go on and what to run; that shows them again."""
    broken = """() => [...document.querySelectorAll('.jp-OutputArea *')].filter(e => e.checkVisibility()
        && getComputedStyle(e, '::before').content.includes('\\uf127')).length"""
    goes_on = "at the service without this kernel"
    with Sandbox(speed=1, draft=True) as sandbox:
        page = notebook(
            [
                f"import os\nos.environ['QINGBO_API_KEY'] = '{sandbox.api_key}'\n"
                f"import qingbo_widgets as qw\nqw.connect(base_url='{sandbox.base_url}')",
                "task = qw.generate('a slow river', duration=10)\ntask",
                "studio = qw.VideoStudio(duration=10)\nstudio",
            ]
        ).run_all()
        write_and_generate(page, 2, PROMPT)
        expect(page.output(0)).not_to_contain_text("earlier tasks")
        for cell in (1, 2):
            expect(page.output(cell)).to_contain_text("task-wave", timeout=PATIENCE)
            expect(page.output(cell).locator("code:visible")).to_have_count(0)
        # The copy of the studio is written a moment later.
        expect(page.output(2)).to_contain_text(goes_on, timeout=PATIENCE)
        prompt = page.output(2).get_by_label("Prompt", exact=True)
        prompt.fill("typed and not lost")
        drafts = page.path.parent / "qingbo_videos" / "drafts"
        until(lambda: any("not lost" in draft.read_text(encoding="utf-8") for draft in drafts.glob("*.json")))
        restart(page)
        for cell in (1, 2):
            expect(page.output(cell).get_by_text(goes_on)).to_be_visible(timeout=PATIENCE)
            expect(page.output(cell).locator(".progress-bar:visible")).to_have_count(0)
        expect(page.output(2)).to_contain_text("run this cell again")
        expect(page.output(2).locator("button:visible, textarea:visible, select:visible")).to_have_count(0)
        page.screenshot("studio-restarted")
        assert page.page.evaluate(broken) == 0, "a broken chain stands beside a widget"

        page.wait_ready().run(0)
        expect(page.output(0)).to_contain_text("2 earlier tasks are still running", timeout=PATIENCE)
        expect(page.output(0).locator(".qingbo-card:visible")).to_have_count(2, timeout=PATIENCE)
        page.run(2)
        expect(prompt).to_have_value("typed and not lost", timeout=PATIENCE)
        bar = page.output(2).locator(".qingbo-card .progress-bar:visible")
        expect(bar).to_have_count(1, timeout=PATIENCE)
        expect(videos(page, 2)).to_have_count(1, timeout=2 * PATIENCE)
        assert playable(videos(page, 2))["duration"] > 4
        page.run(2)  # the video is there again
        expect(videos(page, 2)).to_have_count(1, timeout=PATIENCE)
        assert page.problems == []


def test_a_dead_widget_says_what_to_run(notebook: Notebook) -> None:
    """After a restart, a studio and a gallery give way to their copies: no control looks alive."""
    page = notebook(
        [
            connected(speed=20),
            "qw.VideoStudio()",
            "qw.VideoStudio(duration=3)",
            "qw.Gallery(manager)",
        ]
    ).run_all()
    write_and_generate(page, 2, PROMPT)
    wait_for_file(page, 2)
    expect(page.output(2).locator("[class*=qingbo-static-copy] video")).to_have_count(1)
    expect(page.output(3).get_by_role("button", name="Refresh")).to_be_visible()
    restart(page)
    for cell, text in (
        (1, "run this cell"),
        (2, "Run this cell to show the form again."),
        (3, "Run this cell in a notebook to show it"),
    ):
        expect(page.output(cell).get_by_text(text)).to_be_visible(timeout=PATIENCE)
        controls = page.output(cell).locator(":is(button, input, select, textarea):visible")
        expect(controls).to_have_count(0)
    expect(videos(page, 2)).to_have_count(1)
    assert playable(videos(page, 2))["duration"] > 2
    page.viewport(400)
    sides = (
        "area => [...area.querySelectorAll('.qingbo-card, video')].map(e => e.getBoundingClientRect().right)"
    )
    edge = page.output(2).evaluate("area => area.getBoundingClientRect().right")
    assert max(page.output(2).evaluate(sides)) <= edge, "a narrow page cuts off the copy"
    page.viewport(1280).wait_ready().run_all()
    for cell, name in ((1, "Generate"), (2, "Generate"), (3, "Refresh")):
        expect(page.output(cell).get_by_role("button", name=name, exact=True)).to_be_visible(timeout=PATIENCE)
        expect(
            page.output(cell)
            .get_by_text(re.compile("this cell (in a notebook )?to show"))
            .filter(visible=True)
        ).to_have_count(0)
    expect(videos(page, 2)).to_have_count(1, timeout=PATIENCE)


def test_a_notebook_that_is_moved_plays_its_videos(notebook: Notebook) -> None:
    """A notebook that is moved while its kernel runs plays what is saved in the library it left behind."""
    show = "task = qw.generate('{}', duration=5)\n_ = task.wait()"
    page = notebook([connected(speed=20), show.format("before"), "print(1)"]).run_all()
    wait_for_file(page, 1)
    (page.path.parent / "elsewhere").mkdir()
    old = page.path.relative_to(page.lab.root).as_posix()
    new = f"{old.rpartition('/')[0]}/elsewhere/new.ipynb".lstrip("/")
    rename = "([a, b]) => jupyterapp.serviceManager.contents.rename(a, b).then(() => null)"
    page.page.evaluate(rename, [old, new])
    page.write(2, show.format("after")).run(2)
    video = videos(page, 2)
    expect(video).to_have_count(1, timeout=PATIENCE)
    assert playable(video)["width"] > 0
    page.write(2, "qw.connect(sandbox=manager.sandbox)\nprint(len(manager.tasks), 'tasks')").run(2)
    expect(page.output(2)).to_contain_text("2 tasks", timeout=PATIENCE)
    expect(page.output(2)).to_contain_text("its library stays in")


def test_a_wrong_key_is_said_beside_its_field(notebook: Notebook) -> None:
    """The field is empty and has the focus again; the right key leads to the form, and can be changed."""
    page = notebook(
        [
            "import os\nimport qingbo_widgets as qw\n"
            'server = qw.Sandbox(speed=20, draft=True, api_key="sandbox-key-1234567890").start()\n'
            'os.environ["QINGBO_BASE_URL"] = server.base_url',
            "qw.VideoStudio()",
        ]
    ).run_all()
    studio = page.output(1)
    field = studio.locator("input[type=password]")
    connect = studio.get_by_role("button", name="Connect", exact=True)
    field.fill("sk-wrong-key-1234567890")
    connect.click()
    expect(studio).to_contain_text(
        'does not accept this key. Its response: "the API key is missing or wrong". Nothing was submitted.',
        timeout=PATIENCE,
    )
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.screenshot("key-wrong")
    field.fill("sandbox-key-1234567890")
    field.press("Enter")
    prompt = studio.get_by_label("Prompt", exact=True)
    expect(prompt).to_be_visible(timeout=PATIENCE)
    expect(prompt).to_be_focused()
    prompt.fill(PROMPT)
    studio.get_by_role("button", name="Change key").click()
    expect(field).to_be_focused(timeout=PATIENCE)
    studio.get_by_role("button", name="Close").click()
    expect(field).to_have_count(0)
    expect(prompt).to_have_value(PROMPT)
    write_and_generate(page, 1, PROMPT)
    wait_for_file(page, 1)
    page.save()
    saved = page.path.read_text(encoding="utf-8")
    assert "wrong-key" not in saved, "the key is in the notebook"
    assert "sandbox-key" not in saved.replace('api_key=\\"sandbox-key-1234567890', ""), (
        "the key is in an output"
    )
    assert page.problems == []
