"""Keys in outputs of a page that has no script. page_keys.test.js and a browser test cover the rest."""

from __future__ import annotations

from typing import Any

import pytest

from qingbo_widgets.widgets.base.html import Markup
from qingbo_widgets.widgets.base.output import display_html


@pytest.mark.parametrize("part", ["<video controls></video>", '<a href="x">x</a>', "<summary>x</summary>"])
def test_outputs_keep_keys_without_a_script(cell: Any, part: str) -> None:
    """An output with something that can have the focus has a handler, which is safe inside its attribute."""
    display_html(Markup(part), "")
    assert cell.html.startswith('<div onkeydown="')
    assert cell.html.endswith(f"{part}</div>")
    handler = cell.html.removeprefix('<div onkeydown="').partition('"')[0]
    assert "lm-suppress-shortcuts" in handler
    assert "<" not in handler


def test_an_output_without_controls_has_no_handler(cell: Any) -> None:
    """Text alone never has the focus."""
    display_html(Markup("<p>text</p>"), "")
    assert cell.html == "<p>text</p>"
