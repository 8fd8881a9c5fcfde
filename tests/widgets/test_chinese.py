"""With the Chinese locale, the page has no English except names and code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets import (
    AuthenticationFailed,
    Client,
    Gallery,
    Library,
    Pairwise,
    RequestForm,
    Sandbox,
    TaskCard,
    TaskManager,
    VideoStudio,
    sweep,
)
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.widgets.studio.connect import ConnectPanel
from tests.widgets.page import parts_of

#: Texts that are the same in both languages: URLs, files, the service's fields, words with a digit, …
CODE = re.compile(r"qw\.\w+\([^)]*\)|https?:\S+|\S+\.(?:png|mp4|sqlite)|\w*_\w+|[\w-]*\d[\w.-]*")
#: … and names.
NAMES = """
    kling master std pro config simple generate zoom pan tilt roll horizontal vertical alpha Kling
    AI API IP CFG CSV HTML HTTP http JPEG JSON PNG Python URL WebP MB kB px curl Ctrl Cmd Enter Esc
    env os environ wave
    JupyterLab Jupyter anywidget pip install qw np koi sandbox CameraControl DynamicMask Shot True
    False None prompt duration model mode repeat points shots api qingbo ai dev
    edit image video omni control motion turbo customize intelligence url role name description
"""


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Use the Chinese locale in these tests."""
    set_locale("zh")
    yield
    set_locale(None)


def texts(widget: ipywidgets.Widget) -> Iterator[str]:
    """Yield the texts of one widget that the user reads or a screen reader speaks."""
    names = ("description", "placeholder", "tooltip", "description_tooltip", "label", "texts")
    for name in set(names) & set(widget.trait_names()):
        value = getattr(widget, name)
        if isinstance(value, dict):  # templates, which the page fills in
            yield from (re.sub(r"\{\w+\}", "", str(text)) for text in value.values())
        else:
            yield str(value or "")
    yield from (str(label) for label in getattr(widget, "_options_labels", ()))
    if isinstance(widget, ipywidgets.HTML):
        yield from seen(widget.value)


def seen(markup: str) -> Iterator[str]:
    """Yield the text of HTML and its spoken attributes, without styles, scripts and code."""
    markup = re.sub(r"<(style|script|pre|code)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    yield from re.findall(r'(?:aria-label|title|alt)="([^"]*)"', markup)
    yield html.unescape(re.sub(r"<[^>]*>", " ", markup))


def english(widget: ipywidgets.Widget) -> list[str]:
    """Return the texts that contain English."""
    found = []
    for part in parts_of(widget):
        for text in texts(part):
            if set(re.findall(r"[A-Za-z]{2,}", CODE.sub(" ", text))) - set(NAMES.split()):
                found.append(f"{type(part).__name__}: {text.strip()}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("model", ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"])
def test_the_form(model: str) -> None:
    """The form is in Chinese with every panel open and every field invalid."""
    form = RequestForm(model=model)
    assert english(form) == []
    form.prompt = "鱼" * 3000
    form.image_urls = ("koi.png",)
    form.last_frame = form.static_mask = form.callback_url = "koi"
    form.negative_prompt, form.cfg_scale, form.duration = "鱼" * 3000, 7.0, 99
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


@pytest.mark.slow
@pytest.mark.parametrize("model", models_of("2026-11"))
def test_the_form_of_2026_11(model: str, workdir: Path) -> None:
    """The form of contract 2026-11 is in Chinese with every panel open, and with invalid values."""
    client = Client("sk-test", "http://127.0.0.1:9/v1", contract="2026-11")
    with TaskManager(client, Library(workdir)) as manager:
        form = RequestForm(manager, model="kling-v3-omni", cfg_scale=0.5, resolution="4k")
        form.prompt, form.duration = "<<<image_9>>>", 99
        form.image_urls = ("koi.png",) * 8
        form.negative_prompt, form.watermark, form.callback_url = "鱼", True, "koi"
        element = {"name": "koi", "description": "鱼"}
        form.element_list = (element, {**element, "element_input_urls": ["https://a.cn/koi.png"]})
        form.image_with_roles = ({"url": "koi.png", "role": "last_frame"},) * 2
        form.video_urls = ("koi.mp4",)
        form.model = model
        for button in form.panels.buttons.values():
            button.value = True
        assert form.problems
        assert english(form) == []
        if form.takes("action"):
            form.action = "edit"
            assert english(form) == []
        if form.takes("multi_prompt"):
            form.action = "generate"
            form.switch.value = True
            form.multi_prompt = ({"prompt": "koi", "duration": 2}, {"prompt": "", "duration": 0})
            assert english(form) == []
        form.close()


def test_connecting() -> None:
    """The panel for entering an API key is in Chinese."""
    panel = ConnectPanel(lambda _: None)
    panel.connect_button.click()
    assert english(panel) == []
    panel.close()


@pytest.mark.slow
def test_tasks_from_submit_to_video(manager: TaskManager) -> None:
    """The studio with running and ended cards, the gallery and the pairs are in Chinese."""
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
    """The grid of a sweep that waits for confirmation is in Chinese."""
    from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid

    values: dict[str, Any] = {"prompt": ["koi"], "model": ["kling-v3", "kling-v1"], "cfg_scale": [0.5]}
    grid = SweepGrid(sweep(**values, skip_invalid=True, manager=manager, ask_above=0))
    assert english(grid) == []
    grid.close()


def test_a_refused_key(sandbox: Sandbox, workdir: Path) -> None:
    """The card shows the error in Chinese, next to the service's own message."""
    with TaskManager(Client("wrong", sandbox.base_url), Library(workdir)) as stranger:
        task = stranger.submit(prompt="koi")
        with pytest.raises(AuthenticationFailed, match="密钥有误、未启用或其额度已用完"):
            task.wait(30)
        card = TaskCard(task)
        assert [text for text in english(card) if task.error.message not in text] == []
        card.close()
