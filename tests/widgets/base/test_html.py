"""Text from users and servers never becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from qingbo_widgets.widgets.base import html as markup

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;"


@pytest.mark.parametrize("make", [markup.escape, markup.span, markup.note, markup.chips])
def test_hostile_text_stays_text(make: Callable[[str], str]) -> None:
    """Hostile text can neither open nor close an element or attribute."""
    made = make(HOSTILE)
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made


def test_quotes_do_not_end_an_attribute() -> None:
    """Quotes in an attribute's value are escaped."""
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
def test_only_web_urls_are_links(url: str) -> None:
    """URLs with schemes other than http(s) are refused in every disguise."""
    assert not markup.is_web(url)
    assert markup.is_web(" HTTPS://example.com/?a=1")


def test_style_sheets_carry_no_indentation() -> None:
    """Style sheets, which go into every output, are minified without changing a rule."""
    assert "\n" not in markup.CSS
    assert "  " not in markup.CSS
    assert ".qingbo-keep > div{margin:3px 0}" in markup.OUTPUT_CSS
    assert "@container (max-width:460px){.qingbo .qingbo-cells{" in markup.CSS
    assert markup.CSS.count("{") == markup.CSS.count("}")
    assert "color:var(--jp-ui-font-color2,inherit)" in markup.OUTPUT_CSS, "a token stays without its value"
    assert set(re.findall(r"--qingbo-[a-z-]+", markup.OUTPUT_CSS)) == {"--qingbo-ring"}


def test_an_output_carries_the_rules_that_it_uses() -> None:
    """An output includes only rules whose classes and tags occur in it; selector lists are filtered."""
    style = markup.output_style('<div class="qingbo-html qingbo-keep"><div class="qingbo-hint">a</div></div>')
    rules = re.findall(r"([^{}>]+(?:> div)?)\{", style.removeprefix("<style>"))
    assert rules == [
        ".qingbo-html", ".qingbo-keep", ".qingbo-hint", ".qingbo-hint", ".qingbo-hint", ".qingbo-keep > div",
    ]  # fmt: skip
    assert ".qingbo-html figure{" in markup.output_style('<div class="qingbo-html"><figure>')
    assert ".qingbo-html pre{" in markup.output_style('<div class="qingbo-html"><pre>')


def test_user_text_adds_no_rules() -> None:
    """Escaped user text does not count as a class."""
    assert markup.output_style(markup.escape('class="qingbo-card"')) == "<style></style>"


def test_colours_have_fallbacks() -> None:
    """Every colour variable has a fallback for hosts other than Jupyter."""
    assert markup.CSS.count("var(--jp-") == sum(
        part.split(")")[0].count(",") > 0 for part in markup.CSS.split("var(--jp-")[1:]
    )


def test_a_text_that_is_joined_to_html_is_escaped() -> None:
    """Plain text joined to markup is escaped by its type, even if the caller does not escape it."""
    assert markup.span("a") + "<b>" == "<span>a</span>&lt;b&gt;"
    assert markup.join([markup.span("a"), markup.escape("<b>")], "<br>") == "<span>a</span><br>&lt;b&gt;"
    assert markup.tag("p", "<script>") == "<p>&lt;script&gt;</p>"  # type: ignore[arg-type]


def test_videos_that_are_not_loaded_at_once() -> None:
    """Copies that are hidden load their videos when they are seen, those that are rewritten only at Play."""
    film = markup.tag("video", src='a <video preload="metadata">.mp4', preload="metadata")
    assert markup.lazy(film).startswith('<video loading="lazy" src="a &lt;video ')
    assert markup.lazy(film).count("lazy") == 1
    assert markup.unloaded(film).endswith('preload="none"></video>')
    assert markup.unloaded(film).count('"none"') == 1
    assert markup.join([markup.lazy(film), markup.unloaded(film)]).count("<video ") == 2, (
        "the markup is escaped"
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "$2 a kilo, $5 each",
        "$$ SALE $$",
        r"\(only today\)",
        r"\[open late\]",
        r"\begin{x}y\end{x}",
        r"\ref{a}",
    ],
)
def test_no_text_is_a_formula(prompt: str) -> None:
    """Each character that could begin or end a formula is in an element of its own; the text is the same."""
    made = markup.text(prompt)
    pieces = re.split(r"<[^>]*>", made)
    assert all(piece in ("$", "\\") for piece in pieces if "$" in piece or "\\" in piece)
    assert "".join(pieces) == prompt


def test_markup_is_not_changed_for_formulas() -> None:
    """A delimiter in an attribute stays, and markup is not escaped twice."""
    made = markup.tag("p", markup.text("$1 & $2"), title="$3")
    assert markup.text(made) == made
    assert made == '<p title="$3"><span>$</span>1 &amp; <span>$</span>2</p>'


@pytest.mark.parametrize("make", [markup.text, markup.span, markup.note, markup.chips, markup.user_text])
def test_every_function_for_text_breaks_formulas(make: Callable[[str], str]) -> None:
    """No function for text leaves two delimiters in one piece of text."""
    assert "<span>$</span>2 or <span>$</span>5" in make("$2 or $5")


def test_text_of_the_user_has_its_own_direction_and_no_language() -> None:
    """An Arabic prompt reads from the right in an English or Chinese output."""
    assert markup.user_text("قطة", class_="a") == '<div class="a" dir="auto" lang="">قطة</div>'
    assert markup.block(markup.text("koi"), class_="b") == '<div class="qingbo-html b" lang="en">koi</div>'


def test_outputs_set_no_colour_of_their_own() -> None:
    """A dark page without Jupyter's colours keeps its own: each text inherits, or is set with its ground."""
    sheets = {path.name: path.read_text("utf-8") for path in Path(markup.__file__).parents[1].rglob("*.css")}
    for name, sheet in sheets.items():
        for rule in re.findall(r"\{([^{}]*)\}", sheet):
            fixed = r":[^;]*(?:#[0-9a-f]{3}\b|#[0-9a-f]{6}\b|Field)"
            colour = re.search(r"(?<![\w-])color" + fixed, rule)
            ground = re.search(r"(?<![\w-])background" + fixed, rule)
            is_video = "background: #000" in rule
            assert bool(colour) == bool(ground) or is_video or "layout-color2, #eee" in rule, (name, rule)
