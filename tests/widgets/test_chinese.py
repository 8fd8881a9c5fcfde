"""In Chinese nothing on the page is left in English, but for names and code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import Gallery, Pairwise, RequestForm, Sandbox, TaskManager, VideoStudio, sweep
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.widgets.keyfield import ConnectPanel

#: What is the same in both languages: the service's and the formats' names, code, units.
NAMES = re.compile(
    r"""https?:\S+ | \S+\.(?:png|mp4|sqlite) | \w*_\w+ | [\w-]*\d[\w.-]* | \b(?:
    kling | v\d | master | std | pro | config | simple | generate | zoom | pan | tilt | roll | horizontal | vertical
    | AI | API | alpha | CFG | CSV | curl | Ctrl | Cmd | Enter | Esc | HTML | JPEG | JSON | JupyterLab | Jupyter
    | Kling | MB | kB | PNG | Python | URL | WebP | anywidget | pip | install | qw | np | px | koi | sandbox
    | CameraControl | DynamicMask | Shot | True | False | None | prompt | duration | model | mode | repeat | points
    )\b""",
    re.VERBOSE,
)


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Everything made in these tests speaks Chinese."""
    set_locale("zh")
    yield
    set_locale(None)


def parts(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """A widget and everything in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


def texts(widget: ipywidgets.Widget) -> Iterator[str]:
    """What a person reads of one widget, or a screen reader says."""
    names = ("description", "placeholder", "tooltip", "description_tooltip", "label", "texts")
    for name in set(names) & set(widget.trait_names()):
        value = getattr(widget, name)
        yield from (str(text) for text in value.values()) if isinstance(value, dict) else (str(value or ""),)
    yield from (str(label) for label in getattr(widget, "_options_labels", ()))
    if isinstance(widget, ipywidgets.HTML):
        yield from seen(widget.value)


def seen(markup: str) -> Iterator[str]:
    """The text of HTML, with the attributes that are read out; not its styles, scripts and code."""
    markup = re.sub(r"<(style|script|pre|code)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    yield from re.findall(r'(?:aria-label|title|alt)="([^"]*)"', markup)
    yield html.unescape(re.sub(r"<[^>]*>", " ", markup))


def english(widget: ipywidgets.Widget) -> list[str]:
    """What is left in English."""
    found = []
    for part in parts(widget):
        for text in texts(part):
            if re.search(r"[A-Za-z]{2,}", NAMES.sub(" ", text)):
                found.append(f"{type(part).__name__}: {text.strip()}")
    return found


@pytest.mark.parametrize("model", ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"])
def test_the_form(model: str) -> None:
    """With every part opened, and every field wrong."""
    form = RequestForm(model=model)
    assert english(form) == []
    form.prompt = "koi" * 1000
    form.image_urls = ("koi.png",)
    form.last_frame = form.static_mask = form.callback_url = "koi"
    form.negative_prompt, form.cfg_scale, form.duration = "koi" * 1000, 7.0, 99
    form.camera_control = {"zoom": 5, "pan": 99}
    form.dynamic_masks = ({"mask_url": "koi", "trajectories": [(1, 2)]},)
    for button in form.panels.buttons.values():
        button.value = True
    assert form.problems
    assert english(form) == []
    if model == "kling-v3":
        form.shots = (("koi", 2), ("", 0))
        assert english(form) == []
    form.close()


def test_connecting() -> None:
    """The panel that asks for a key."""
    panel = ConnectPanel(lambda _: None)
    panel.connect_button.click()
    assert english(panel) == []
    panel.close()


def test_tasks_from_submit_to_video(manager: TaskManager) -> None:
    """The studio with its cards, while they run and when they have ended; gallery and pairs after that."""
    studio = VideoStudio(manager, prompt="koi")
    studio.generate_button.click()
    assert english(studio) == []
    first = studio.cards[0].task.wait(60)
    studio.cards[0].refresh()
    assert english(studio) == []
    for view in (Gallery(manager), Pairwise([first, manager.submit(prompt="koi").wait(60)])):
        assert english(view) == []
        view.close()
    studio.close()


def test_a_sweep_before_it_is_sent(manager: TaskManager) -> None:
    """The grid says how many tasks it would make, and what is left out."""
    from qingbo_widgets.widgets.sweep import SweepGrid

    values = {"prompt": ["koi"], "model": ["kling-v3", "kling-v1"], "cfg_scale": [0.5]}
    grid = SweepGrid(sweep(**values, skip_invalid=True, manager=manager, ask_above=0))
    assert english(grid) == []
    grid.close()


def test_a_refused_key(sandbox: Sandbox, library: Any) -> None:
    """What went wrong stands on the card, in the words of this package."""
    from qingbo_widgets import Client, TaskCard

    with TaskManager(Client("wrong", sandbox.base_url), library) as stranger:
        task = stranger.submit(prompt="koi")
        task.on_end(lambda _: None)
        with pytest.raises(Exception, match="密钥"):
            task.wait(30)
        card = TaskCard(task)
        assert [text for text in english(card) if "Invalid" not in text and "API key" not in text] == []
        card.close()
