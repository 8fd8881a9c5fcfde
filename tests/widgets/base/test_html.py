"""Nothing a person or a server wrote becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from qingbo_widgets.widgets.base import html as markup

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;"


@pytest.mark.parametrize("make", [markup.escape, markup.span, markup.note, markup.chips])
def test_hostile_text_stays_text(make: Callable[[str], str]) -> None:
    """No element and no attribute can be opened or closed."""
    made = make(HOSTILE)
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made


def test_attributes_cannot_be_left() -> None:
    """Quotes in an attribute's value do not end it."""
    assert markup.tag("p", title='" onclick="alert(1)') == '<p title="&#34; onclick=&#34;alert(1)"></p>'


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
def test_only_links_of_the_web_are_links(url: str) -> None:
    """Anything but http(s) is refused, whatever it is made to look like."""
    assert not markup.is_web(url)
    assert markup.is_web(" HTTPS://example.com/?a=1")


def test_style_sheets_carry_no_indentation() -> None:
    """They go into every output of every notebook; and they still say the same."""
    assert "\n" not in markup.CSS
    assert "  " not in markup.CSS
    assert ".qingbo-keep > div{margin:3px 0}" in markup.OUTPUT_CSS
    assert "@container (max-width:460px){.qingbo-note{padding-left:0}" in markup.CSS
    assert markup.CSS.count("{") == markup.CSS.count("}")


def test_an_output_carries_the_rules_that_it_uses() -> None:
    """By class and by tag, a list of selectors cut down to those that apply."""
    style = markup.output_style('<div class="qingbo-html qingbo-keep"><div class="qingbo-hint">a</div></div>')
    rules = re.findall(r"([^{}>]+(?:> div)?)\{", style.removeprefix("<style>"))
    assert rules == [
        ".qingbo-html", ".qingbo-keep", ".qingbo-hint", ".qingbo-hint", ".qingbo-hint", ".qingbo-keep > div",
    ]  # fmt: skip
    assert ".qingbo-html figure{" in markup.output_style('<div class="qingbo-html"><figure>')
    assert ".qingbo-html pre{" in markup.output_style('<div class="qingbo-html"><pre>')


def test_what_a_person_wrote_brings_no_rules() -> None:
    """It is escaped, and so is no class."""
    assert markup.output_style(markup.escape('class="qingbo-card"')) == "<style></style>"


def test_shorten_cuts_on_one_line_and_drops_what_cannot_be_seen() -> None:
    """A prompt with line breaks, or with characters that turn the writing round, stays one plain line."""
    assert markup.shorten("a\n\n b\u202ec") == "a bc"
    assert markup.shorten("x" * 300, 10) == "x" * 9 + "…"


def test_colours_have_fallbacks() -> None:
    """Outside Jupyter its variables do not exist."""
    assert markup.CSS.count("var(--jp-") == sum(
        part.split(")")[0].count(",") > 0 for part in markup.CSS.split("var(--jp-")[1:]
    )


def test_a_text_that_is_joined_to_html_is_escaped() -> None:
    """Plain text joined to markup is escaped by its type, even where the caller forgot."""
    assert markup.span("a") + "<b>" == "<span>a</span>&lt;b&gt;"
    assert markup.join([markup.span("a"), markup.escape("<b>")], "<br>") == "<span>a</span><br>&lt;b&gt;"
    assert markup.tag("p", "<script>") == "<p>&lt;script&gt;</p>"  # type: ignore[arg-type]
