"""The helpers of ``page.py`` find displayed parts, and explain what they do not find."""

from __future__ import annotations

import ipywidgets
import pytest

from tests.widgets.page import (
    below,
    box_of,
    buttons_of,
    click,
    enter,
    find,
    html_of,
    html_part,
    is_displayed,
    outputs_of,
    press,
    send_click,
    text_of,
    the,
    the_field,
    tooltip_of,
)


def output(markup: str) -> ipywidgets.Output:
    """Return an output area with HTML."""
    data = {"text/html": markup, "text/plain": "A film"}
    return ipywidgets.Output(outputs=({"output_type": "display_data", "data": data, "metadata": {}},))


def test_text_excludes_and_html_includes_hidden_parts() -> None:
    """Text excludes styles, tags and hidden parts; HTML includes hidden parts."""
    hidden = ipywidgets.VBox([ipywidgets.HTML("<b>never</b>")], layout={"display": "none"})
    gone = ipywidgets.HTML("gone", layout={"visibility": "hidden"})
    head = ipywidgets.HTML("<style>p {\n}</style><p>A &lt;b&gt;<br>koi</p><p>swims</p>")
    page = ipywidgets.VBox([head, output("<video></video>played"), hidden, gone])
    assert text_of(page) == "A <b> koi swims\nplayed"
    assert html_of(page) == "<p>A &lt;b&gt;<br>koi</p><p>swims</p>\n<video></video>played\n<b>never</b>\ngone"
    assert outputs_of(page) == ["<video></video>played"]
    assert outputs_of(page, "text/plain") == ["A film"]
    assert html_part(page, "koi swims") is head
    with pytest.raises(AssertionError, match=r"0 parts of VBox say 'never', not one; a user reads:\nA <b>"):
        html_part(page, "never")


def test_only_what_is_displayed_is_found() -> None:
    """Parts that are hidden, inside a hidden part, or not on the page are not found."""
    shown, inside = ipywidgets.Text(), ipywidgets.Text()
    page = ipywidgets.VBox([shown, ipywidgets.HBox([inside], layout={"display": "none"})])
    assert find(page, ipywidgets.Text) == [shown]
    assert the(page, ipywidgets.Text) is shown
    assert [is_displayed(page, part) for part in (shown, inside, ipywidgets.Text())] == [True, False, False]
    with pytest.raises(AssertionError, match=r"shows 0 parts of the kind Button, not one; it shows \['VBox'"):
        the(page, ipywidgets.Button)


def test_a_click_arrives_as_the_page_sends_it() -> None:
    """A click on an enabled button is delivered; otherwise the error lists the buttons on the page."""
    clicked: list[str] = []
    save, drop = ipywidgets.Button(description="Save"), ipywidgets.Button(description="Drop", disabled=True)
    save.on_click(lambda one: clicked.append(one.description))
    page = ipywidgets.HBox([save, drop, ipywidgets.Button(description="Save", layout={"display": "none"})])
    click(page, "Save")
    assert clicked == ["Save"]
    assert buttons_of(page) == ["Save", "Drop"]
    with pytest.raises(AssertionError, match=r"HBox shows 0 buttons 'Keep', not one; .* \['Save', 'Drop'\]"):
        click(page, "Keep")
    with pytest.raises(AssertionError, match=r"the button 'Drop' of HBox is disabled"):
        click(page, "Drop")
    page.children = (*page.children, ipywidgets.Button(description="Save"))
    with pytest.raises(AssertionError, match=r"HBox shows 2 buttons 'Save', not one"):
        click(page, "Save")
    drop.disabled = False
    drop.on_click(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        click(page, "Drop")
    save.close()
    with pytest.raises(AssertionError, match=r"Button 'Save' is closed"):
        send_click(save)


def test_a_field_is_found_by_its_description_and_typed_into() -> None:
    """A field is found by its description, with the note below it and its tooltip."""
    field, note = ipywidgets.Text(description="Name"), ipywidgets.HTML("Any name")
    page = ipywidgets.VBox([ipywidgets.VBox([field, note])])
    enter(the_field(page, "Name"), "koi")
    assert field.value == "koi"
    assert below(page, field) is note
    assert text_of(box_of(page, field)) == "Any name"
    assert tooltip_of(field) == ""
    with pytest.raises(AssertionError, match=r"nothing stands below HTML"):
        below(page, note)
    with pytest.raises(AssertionError, match=r"VBox shows 0 fields 'Age', not one; it shows \['Name'"):
        the_field(page, "Age")
    with pytest.raises(AssertionError, match=r"Button stands in 0 boxes of VBox"):
        box_of(page, ipywidgets.Button())


def test_a_key_without_a_listener_is_an_error() -> None:
    """A key with a listener is delivered; for any other the error lists the keys with listeners."""
    from qingbo_widgets.widgets.base.keys import make_keys

    pressed: list[str] = []
    page = ipywidgets.VBox(make_keys(("3", "Escape"), pressed.append))
    press(page, "3")
    assert pressed == ["3"]
    with pytest.raises(AssertionError, match=r"0 parts of VBox listen for 'x'; heard are \['3', 'Escape'\]"):
        press(page, "x")
