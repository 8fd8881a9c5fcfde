"""Keys and identity in a browser: what has the focus keeps its keys, and what is watched stays in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import PANEL, PATIENCE, Notebook, NotebookPage, playable
from playwright.sync_api import CDPSession, Locator, expect
from test_studio import connected, videos

#: Six films that are much larger than what a slow line carries in a few seconds.
LARGE = """
import os
import av, numpy
import qingbo_widgets as qw
noise = numpy.random.default_rng(0).integers(0, 256, (12, 360, 640, 3), dtype=numpy.uint8)
with av.open("film-0.mp4", "w", options={"movflags": "+faststart"}) as file:
    stream = file.add_stream("libx264", rate=24)
    stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
    stream.options = {"preset": "ultrafast", "qp": "30"}
    for n in range(240):
        file.mux(stream.encode(av.VideoFrame.from_ndarray(numpy.roll(noise[n % 12], n, 1), format="rgb24")))
    file.mux(stream.encode())
for n in range(1, 6):
    os.link("film-0.mp4", f"film-{n}.mp4")
print(os.path.getsize("film-0.mp4") // 10**6, "MB")
"""


def shape(page: NotebookPage) -> dict[str, Any]:
    """Return the notebook as far as a stray key could change it."""
    state: dict[str, Any] = page.page.evaluate(
        f"""() => {{
            const book = {PANEL}.content;
            return {{kinds: book.widgets.map(cell => cell.model.type), active: book.activeCellIndex,
                     runs: book.widgets.map(cell => cell.model.executionCount),
                     dialogs: document.querySelectorAll('.jp-Dialog').length}};
        }}"""
    )
    return state


def wait_for_keys(page: NotebookPage) -> None:
    """Wait until the page has its listener; a key before that is the notebook's."""
    page.page.wait_for_function("document.documentElement.dataset.qingboKeys")


def take_focus(control: Locator) -> None:
    """Put the focus into a player or another control, as Tab does; a click would also play."""
    expect(control).to_be_visible()
    control.focus()
    expect(control).to_be_focused()


@contextmanager
def devtools(page: NotebookPage) -> Iterator[CDPSession]:
    """Open a session of the browser's debugger; what it emulates ends with it."""
    session = page.page.context.new_cdp_session(page.page)
    try:
        yield session
    finally:
        session.detach()


def test_keys_stay_in_the_control(notebook: Notebook) -> None:
    """No key pressed in a control changes the notebook; Ctrl+S saves, Shift+Enter runs, Escape leaves."""
    made = "task = qw.generate('a heron', duration=5); task.wait()\n"
    cells = [
        connected(speed=50)
        + "\n"
        + made
        + made.replace("task", "other")
        + "plan = qw.sweep(prompt=['a'], duration=[5, 10])",
        "studio = qw.VideoStudio(model='kling-v1-6', prompt='a gull', duration=5)\nstudio",
        "task",
        "gallery = qw.Gallery()\ngallery",
        "qw.Comparison([task, other])",
        "plan",
        "qw.Pairwise([task, other])",
        "'below'",
    ]
    page = notebook(cells).run_all()
    wait_for_keys(page)
    press = page.page.keyboard.press
    form = page.output(1)
    ratio = form.get_by_label("Aspect ratio")
    controls = {
        "a dropdown": ratio,
        "a button": form.get_by_role("button", name="Generate", exact=True),
        "a checkbox": page.output(4).get_by_role("checkbox"),
        "the gallery's dropdown": page.output(3).get_by_label("Order"),
        "a tile": page.output(3).locator(".qingbo-tile button").first,
        "a slider of the comparison": page.output(4).get_by_label("Time"),
        "a button of the sweep": page.output(5).get_by_role("button", name="Details").first,
        "a button of the pairs": page.output(6).get_by_role("button", name="Ranking"),
    }
    expect(page.output(4).get_by_role("button", name="Play")).to_be_enabled()
    for name, control in controls.items():
        take_focus(control)
        before = shape(page)
        for key in ("d", "d", "x", "m", "b", "Shift+J", "Control+Backspace", "0", "0"):
            press(key)
        assert shape(page) == before, f"a key pressed in {name} reached the notebook"
    for name, control in {
        "a video": videos(page, 2).first,
        "the videos of the comparison": page.output(4).locator(".qingbo-comparison"),
    }.items():
        take_focus(control)
        before = shape(page)
        for key in ("d", "d", "m", "ArrowDown", "ArrowRight"):
            press(key)
        assert shape(page) == before, f"a key pressed in {name} reached the notebook"

    ratio.focus()
    chosen = ratio.input_value()
    press("ArrowDown")
    assert ratio.input_value() != chosen, "an arrow chooses nothing"

    page.page.evaluate(
        "() => jupyterapp.commands.commandExecuted.connect((_, { id }) => { window.executed = id })"
    )
    for control in (ratio, form.get_by_label("Prompt", exact=True)):
        control.focus()
        page.page.evaluate("window.executed = ''")
        press("Control+s")
        page.page.wait_for_function("executed === 'docmanager:save'")
        expect(control).to_be_focused()

    take_focus(videos(page, 2).first)
    press("Shift+Enter")
    page.page.wait_for_function(
        f"count => {PANEL}.content.widgets[2].model.executionCount > count", arg=before["runs"][2]
    )

    ratio.focus()
    press("Escape")
    expect(page.page.locator(".jp-Notebook .jp-Cell").nth(1)).to_be_focused()
    press("m")
    assert shape(page)["kinds"][1] == "markdown", "after Escape, keys are the notebook's again"
    press("y")

    # Without a kernel, and without any script of it.
    page.save().shutdown_kernel().reload()
    take_focus(videos(page, 2).first)
    before = shape(page)
    for key in ("d", "d", "x", "m"):
        press(key)
    assert shape(page) == before, "a key pressed in a saved output reached the notebook"
    assert page.problems == []


def watch(page: NotebookPage, video: Locator) -> None:
    """Play a video, and remember its element."""
    playable(video)
    video.evaluate("v => { window.watched = v; v.muted = v.loop = true; v.currentTime = 2; return v.play() }")
    page.page.wait_for_function("watched.currentTime > 2.1")
    page.page.evaluate("watched.addEventListener('emptied', () => watched.dataset.loadedAgain = 'true')")


def assert_it_goes_on(page: NotebookPage, when: str) -> None:
    """Check that the watched element is still there and plays."""
    there, paused, again = page.page.evaluate(
        "[watched.isConnected && watched.checkVisibility(), watched.paused, watched.dataset.loadedAgain]"
    )
    assert there, f"{when}, another player takes the place of the one that is watched"
    assert not paused, f"{when}, it stops"
    assert not again, f"{when}, it is loaded again"


def test_a_watched_video_goes_on(notebook: Notebook) -> None:
    """The player stays while tasks come and end, a form opens, and the gallery gets more tiles."""
    cells = [
        connected(speed=30),
        "studio = qw.VideoStudio(prompt='a watched pot', model='kling-v1')\nstudio",
        "gallery = qw.Gallery()\ngallery",
    ]
    page = notebook(cells).run_all()
    studio, gallery = page.output(1), page.output(2)
    generate = studio.get_by_role("button", name="Generate", exact=True)
    generate.click()
    expect(videos(page, 1)).to_have_count(1, timeout=PATIENCE)
    watch(page, videos(page, 1))
    asked: list[str] = []
    source = videos(page, 1).evaluate("v => v.currentSrc.split('?')[0].split('/').pop()")
    page.page.on("request", lambda request: asked.append(request.url) if source in request.url else None)
    studio.get_by_label("Prompt", exact=True).fill("another pot")
    expect(generate).to_be_enabled()
    generate.click()
    expect(studio.locator(".jupyter-widgets.qingbo-card")).to_have_count(2)
    assert_it_goes_on(page, "when another task is submitted")
    expect(videos(page, 1)).to_have_count(2, timeout=PATIENCE)
    assert_it_goes_on(page, "when another task ends")
    prompts = studio.locator(".qingbo-card .qingbo-prompt:visible")
    tops = prompts.evaluate_all("all => all.map(e => [e.getBoundingClientRect().top, e.innerText])")
    assert [text for _, text in sorted(tops)] == ["another pot", "a watched pot"], "the newest is not on top"
    studio.get_by_label("Model").select_option(index=1)
    assert_it_goes_on(page, "when the form changes")
    expect(studio.get_by_role("button", name="Frames")).to_have_count(2)
    assert_it_goes_on(page, "when a card gets its buttons")
    assert len(asked) < 4, f"the file is loaded again and again: {asked}"

    gallery.get_by_role("button", name="Refresh").click()
    tile = gallery.locator(".qingbo-tile:visible")
    expect(tile).to_have_count(2)
    tile.nth(1).get_by_role("button").click()
    watch(page, videos(page, 2))
    page.page.evaluate("watched.scrollIntoView()")
    gallery.get_by_role("button", name="Edit and regenerate").click()
    submit = gallery.get_by_role("button", name="Generate", exact=True)
    expect(submit).to_be_enabled()
    assert_it_goes_on(page, "when the form opens below it")
    submit.click()
    expect(gallery.locator(".qingbo-card video")).to_have_count(1, timeout=PATIENCE)
    assert_it_goes_on(page, "when a task from that form ends")
    gallery.get_by_role("button", name="Refresh").click()
    expect(tile).to_have_count(3)
    assert_it_goes_on(page, "when the gallery gets another tile")
    assert page.problems == []


def test_six_large_videos_leave_the_notebook_a_connection(notebook: Notebook) -> None:
    """On a slow line, the notebook is saved at once before six videos play, while they load, after Pause."""
    page = notebook([LARGE, "qw.Comparison([f'film-{n}.mp4' for n in range(6)])", "1"]).run(0)
    expect(page.output(0)).to_contain_text("MB")
    size = int(page.output_text(0).split()[0])
    controls = page.output(1)

    def assert_saved(when: str) -> None:
        """Save, long before a film could be loaded, which would free a connection."""
        page.write(2, f"'{when}'")
        page.page.evaluate("window.saved = false")
        page.page.evaluate(
            "() => { jupyterapp.commands.execute('docmanager:save').then(() => { window.saved = true }) }"
        )
        page.page.wait_for_function("saved", timeout=12_000)

    with devtools(page) as session:
        session.send("Network.enable")
        slow = {"offline": False, "latency": 20, "downloadThroughput": 3e6, "uploadThroughput": 1e6}
        assert 6 * size > 20 * slow["downloadThroughput"] / 1e6, "the films are too small to show anything"
        session.send("Network.emulateNetworkConditions", slow)
        page.run(1)
        expect(controls.get_by_role("button", name="Play")).to_be_enabled()
        assert_saved("before anything plays")
        controls.get_by_role("button", name="Play").click()
        message = controls.locator(".qingbo-lost")
        expect(message).to_contain_text(re.compile(r"Loading the videos: \d+ %"))
        assert_saved("while the videos load")
        controls.get_by_role("button", name="Pause").click()
        expect(message).to_be_empty()
        assert_saved("after Pause")
    controls.get_by_role("button", name="Play").click()
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.qingbo-comparison video')].every(v => v.currentTime > 0.3)"
    )
    assert page.problems == []


def test_each_view_of_an_output_ends_with_one_player(notebook: Notebook) -> None:
    """A task shown in two cells, in a view beside the notebook and in a hidden tab has one player in each."""
    cells = [
        connected(speed=10) + "\nimport ipywidgets",
        "studio = qw.VideoStudio(prompt='in a tab')\n"
        "tabs = ipywidgets.Tab([ipywidgets.Label('first'), studio], titles=['one', 'two'])\ntabs",
        "studio.generate_button.click()\ntask = qw.generate('seen twice', duration=5)\ntask",
        "task",
    ]
    page = notebook(cells).run_all()
    page.page.evaluate(f"{PANEL}.content.activeCellIndex = 2")
    page.command("notebook:create-output-view")
    view = page.page.locator(".jp-LinkedOutputView")
    expect(view).to_be_visible()
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-LinkedOutputView video')].some(v => v.checkVisibility())"
    )
    places = {"the first cell": page.output(2), "the second cell": page.output(3), "the new view": view}
    for name, place in places.items():
        expect(place.locator("video:visible"), name).to_have_count(1, timeout=PATIENCE)
        assert playable(place.locator("video:visible"))["width"], name
        expect(place, name).not_to_contain_text("Generating")
        expect(place, name).not_to_contain_text("at the service without this kernel")
    page.output(1).get_by_role("tab", name="two").click()
    expect(videos(page, 1)).to_have_count(1, timeout=PATIENCE)
    assert playable(videos(page, 1))["width"]
    assert page.problems == []


def compose(session: CDPSession, states: list[str], final: str) -> None:
    """Type as an input method does: several states of a composition, then the text."""
    for text in states:
        place = {"selectionStart": len(text), "selectionEnd": len(text)}
        session.send("Input.imeSetComposition", {"text": text, **place})
    session.send("Input.insertText", {"text": final})


def test_an_input_method_writes_once_and_submits_nothing(notebook: Notebook) -> None:
    """Composed text stands there once, also while the kernel is busy; its Enter submits nothing."""
    cells = [connected(speed=50), "studio = qw.VideoStudio()\nstudio", "import time; time.sleep(1.5)", ""]
    page = notebook(cells).run(0).run(1)
    wait_for_keys(page)
    prompt = page.output(1).get_by_label("Prompt", exact=True)
    expect(page.output(1).locator("[data-listens]")).to_be_attached()
    with devtools(page) as session:
        prompt.click()
        page.page.keyboard.type("A ")
        compose(session, ["y", "yi", "yi zhi mao"], "一只猫")
        page.page.evaluate(f"{PANEL}.content.activeCellIndex = 2")
        page.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-cell') }")
        page.page.wait_for_function(f"() => {PANEL}.sessionContext.session.kernel.status === 'busy'")
        prompt.click()
        page.page.keyboard.press("End")
        compose(session, ["z", "zai", "zai pao"], "在跑")
        session.send("Input.imeSetComposition", {"text": "ri", "selectionStart": 2, "selectionEnd": 2})
        page.wait_ready()  # the kernel answers all of this in the middle of a word
        page.page.evaluate(
            """() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
                {key: 'Enter', ctrlKey: true, isComposing: true, bubbles: true, cancelable: true}))"""
        )
        session.send("Input.insertText", {"text": "日出"})
    expect(prompt).to_have_value("A 一只猫在跑日出")
    expect(page.output(1)).to_contain_text("9 /")
    page.write(3, "print('it is', repr(studio.form.prompt), len(studio.cards))").run(3)
    expect(page.output(3)).to_contain_text("it is 'A 一只猫在跑日出' 0")
    assert page.problems == []
