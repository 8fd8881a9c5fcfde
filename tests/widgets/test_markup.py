"""Nothing a person or a server wrote becomes markup."""

from __future__ import annotations

import pytest

from qingbo_widgets.widgets import markup

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;"


@pytest.mark.parametrize("make", [markup.escape, markup.span, markup.note, markup.chips])
def test_hostile_text_stays_text(make: object) -> None:
    """No element and no attribute can be opened or closed."""
    made = make(HOSTILE)
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made


def test_attributes_cannot_be_left() -> None:
    """Quotes in an attribute's value do not end it."""
    assert markup.tag("p", title='" onclick="alert(1)') == '<p title="&quot; onclick=&quot;alert(1)"></p>'


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//x",
        "http://[",
    ],
)
def test_only_web_links_lead_anywhere(url: str) -> None:
    """Anything but http(s) is told as text."""
    assert markup.link(url, "here") == "here"


def test_a_web_link_is_a_link() -> None:
    """And gives the page it opens no hold on the notebook."""
    made = markup.link('https://example.com/?a=1&b="2"', "<here>")
    assert 'href="https://example.com/?a=1&amp;b=&quot;2&quot;"' in made
    assert 'rel="noopener noreferrer"' in made
    assert "&lt;here&gt;" in made


def test_shorten_cuts_on_one_line_and_drops_what_cannot_be_seen() -> None:
    """A prompt with line breaks, or with characters that turn the writing round, stays one plain line."""
    assert markup.shorten("a\n\n b\u202ec") == "a bc"
    assert markup.shorten("x" * 300, 10) == "x" * 9 + "…"


def test_colours_have_fallbacks() -> None:
    """Outside Jupyter its variables do not exist."""
    assert markup.CSS.count("var(--jp-") == sum(
        part.split(")")[0].count(",") > 0 for part in markup.CSS.split("var(--jp-")[1:]
    )
