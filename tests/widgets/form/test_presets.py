"""The panel of presets and earlier tasks, used as a user does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.form.presets import PresetsPane
from qingbo_widgets.widgets.form.request_form import RequestForm
from tests.widgets.page import buttons_of, click, html_of, text_of


@pytest.fixture
def form(manager: TaskManager) -> Iterator[RequestForm]:
    """Yield a form with the panel open."""
    form = RequestForm(manager, prompt="A koi", mode="pro")
    form.panels.buttons["presets"].value = True
    yield form
    form.close()


@pytest.fixture
def pane(form: RequestForm) -> PresetsPane:
    """Return the panel of the form."""
    pane: PresetsPane = form.panels.editor("presets")
    return pane


def test_without_presets_there_is_nothing_to_load(pane: PresetsPane) -> None:
    """Without presets the buttons are disabled, and opening the panel writes no files."""
    assert pane.load_button.disabled
    assert pane.remove_button.disabled
    assert pane.start_button.disabled
    assert not pane.form.manager.library.folder.exists()


def test_save_change_load_remove(form: RequestForm, pane: PresetsPane) -> None:
    """A preset is saved, loaded and removed."""
    pane.name.value = " 锦鲤 "
    pane.save_button.click()
    assert "Saved as 锦鲤." in text_of(pane)
    assert (pane.name.value, pane.preset.value) == ("", "锦鲤")
    form.prompt, form.mode = "A fox", "std"
    pane.load_button.click()
    assert form.request == VideoRequest(prompt="A koi", mode="pro")
    pane.remove_button.click()
    assert pane.load_button.disabled
    assert "锦鲤 is removed." in text_of(pane)


def test_a_preset_without_a_name_is_refused_with_a_message(pane: PresetsPane) -> None:
    """An empty name is refused with a message next to the button."""
    pane.save_button.click()
    assert "needs a name" in text_of(pane)


@pytest.mark.slow
def test_an_earlier_task_starts_the_next(form: RequestForm, pane: PresetsPane, manager: TaskManager) -> None:
    """A task that is in the journal when the panel opens can fill in the form."""
    manager.submit(prompt="A fox", duration=3).wait(60)
    form.panels.buttons["presets"].value = False
    form.panels.buttons["presets"].value = True
    assert "A fox" in pane.task.options[0][0]
    pane.start_button.click()
    assert form.request == VideoRequest(prompt="A fox", duration=3)
    assert len(manager.tasks) == 1, "nothing is submitted"


def test_unknown_fields_of_a_preset_are_listed(form: RequestForm, pane: PresetsPane) -> None:
    """Unknown fields of a later version's preset are listed, and the rest is filled in."""
    from qingbo_widgets.widgets.form.loading import presets_of

    presets_of(form).save("later", {"prompt": "A fox", "seed": 7})
    pane.reload()
    pane.preset.value = "later"
    pane.load_button.click()
    assert "seed: 7" in text_of(pane)
    assert form.prompt == "A fox"


def test_reset_and_undo(form: RequestForm, pane: PresetsPane) -> None:
    """The form is reset to the values from the code; Undo brings typed text back, and can be undone."""
    form.prompt, form.mode = "A fox", "std"
    click(pane, "Reset")
    assert form.request == VideoRequest(prompt="A koi", mode="pro")
    click(pane, "Undo")
    assert form.request == VideoRequest(prompt="A fox", mode="std"), "typed text is lost"
    click(pane, "Undo")
    assert form.request == VideoRequest(prompt="A koi", mode="pro")


def test_loading_can_be_undone(form: RequestForm, pane: PresetsPane) -> None:
    """Typed text is back after the Undo of a loaded preset; nothing is offered where nothing changed."""
    pane.name.value = "koi"
    click(pane, "Save")
    form.prompt = "A long prompt, typed and not submitted"
    click(pane, "Load")
    assert form.prompt == "A koi"
    click(pane, "Undo")
    assert form.prompt == "A long prompt, typed and not submitted"
    click(pane, "Load")
    click(pane, "Load")
    assert "Undo" not in buttons_of(pane)


def test_undo_brings_back_everything(manager: TaskManager) -> None:
    """Prompt, shots, camera, masks and the open panels are as they were before the preset was loaded."""
    form = RequestForm(manager, model="kling-v1-6", prompt="A koi")
    form.save("koi")
    form.prompt, form.negative_prompt, form.cfg_scale = "Typed for ten minutes", "blur", 0.9
    form.image_urls, form.static_mask = "https://example.com/pond.png", "https://example.com/still.png"
    form.dynamic_masks = DynamicMask("https://example.com/koi.png", ((10, 20), (30, 40)))
    for name in ("masks", "more", "presets"):
        form.panels.buttons[name].value = True
    form.shots = [("A heron lands", 3), ("It flies", 4)]  # set aside by this model
    form.camera_control = "forward_up"
    before = {name: getattr(form, name) for name in form.field_names}
    pane = form.panels.editor("presets")
    click(pane, "Load")
    assert (form.prompt, form.shots, form.dynamic_masks) == ("A koi", (), ())
    click(pane, "Undo")
    assert {name: getattr(form, name) for name in form.field_names} == before
    assert all(form.panels.is_open(name) for name in ("masks", "more", "presets")), "a panel was closed"
    assert form.panels.editor("masks").rows[0].url.value == "https://example.com/koi.png"
    form.model = "kling-v3"
    assert [shot.prompt for shot in form.shots] == ["A heron lands", "It flies"], "the shots are lost"
    form.close()


def test_a_replaced_or_removed_preset_comes_back(form: RequestForm, pane: PresetsPane) -> None:
    """Saving under a used name says so, and it and Remove can be undone."""
    pane.name.value = "koi"
    click(pane, "Save")
    assert "Undo" not in buttons_of(pane)
    form.prompt = "A fox"
    pane.name.value = "koi"
    click(pane, "Save")
    assert "the preset of that name was replaced" in text_of(pane)
    click(pane, "Undo")
    click(pane, "Load")
    assert form.prompt == "A koi", "the replaced preset is lost"
    click(pane, "Remove")
    assert pane.load_button.disabled
    click(pane, "Undo")
    assert pane.preset.value == "koi"


def test_a_damaged_preset_can_be_replaced_and_removed(form: RequestForm, pane: PresetsPane) -> None:
    """A preset that cannot be read does not keep its name, and is not offered back."""
    pane.name.value = "koi"
    click(pane, "Save")
    for file in form.manager.library.folder.rglob("*koi*.json"):
        file.write_text("{", encoding="utf-8")
    pane.name.value = "koi"
    click(pane, "Save")
    assert "Saved as koi." in text_of(pane)
    assert "Undo" not in buttons_of(pane)


def test_without_a_key_the_panel_says_so(workdir: Path) -> None:
    """Without an API key the panel shows an error, because the form has no library yet."""
    form = RequestForm()
    form.panels.buttons["presets"].value = True
    assert "key" in text_of(form.panels.editor("presets"))
    form.close()


def test_a_name_never_becomes_markup(pane: PresetsPane) -> None:
    """A hostile name is shown as text."""
    pane.name.value = "<img src=x onerror=alert(1)>"
    pane.save_button.click()
    assert "onerror" in html_of(pane)
    assert "<img" not in html_of(pane)


def test_typing_reads_no_files(form: RequestForm, pane: PresetsPane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presets and tasks are read when the panel opens, not for each letter."""
    reads: list[object] = []
    monkeypatch.setattr(PresetsPane, "_read", lambda self: reads.append(self))
    form.prompt = "A fox"
    assert reads == []


def test_closing_leaves_nothing(manager: TaskManager, live_widgets: Callable[[], int]) -> None:
    """Closing the form closes the panel."""
    before = live_widgets()
    form = RequestForm(manager)
    form.panels.buttons["presets"].value = True
    form.close()
    assert live_widgets() == before
