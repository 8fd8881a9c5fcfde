"""HTML as a type: ``Markup`` is safe, and plain text that is joined to it is escaped automatically.

Other modules may wrap only markup of this package in ``Markup(…)``. Text inside an element goes through
``text`` or a function that calls it, because pages typeset formulas in outputs, and two prices look like one;
``escape`` is for attributes and for ``pre``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from ...i18n import locale
from ...service.contract.text import plain_line

__all__ = [
    "CSS",
    "OUTPUT_CSS",
    "Markup",
    "block",
    "chips",
    "code_block",
    "escape",
    "is_web",
    "join",
    "lazy",
    "note",
    "output_style",
    "plain_line",
    "read_css",
    "run_in_page",
    "short_name",
    "span",
    "style",
    "tag",
    "text",
    "unloaded",
    "user_text",
]


_TOKENS = dict(
    re.findall(r"(--[\w-]+): (.+);", Path(__file__).with_name("tokens.css").read_text(encoding="utf-8"))
)


def read_css(module: str, name: str) -> str:
    """Return a style sheet with the values of its tokens, minified, because most are saved with notebooks.

    Args:
        module: ``__file__`` of the module beside the style sheet.
        name: the file name of the style sheet.
    """
    css = re.sub(r"/\*.*?\*/", "", Path(module).with_name(name).read_text(encoding="utf-8"), flags=re.DOTALL)
    css = re.sub(r"var\((--qingbo-[\w-]+)\)", lambda found: _TOKENS.get(found[1], found[0]), css)
    return re.sub(r"\s*([{};,])\s*|(:)\s+", r"\1\2", re.sub(r"\s+", " ", css)).replace(";}", "}").strip()


#: Styles for outputs, which outlive the kernel: Jupyter's own colours, so that they follow the theme. A host
#: that sets none, such as Colab, may be light or dark, so there text has the colour that it inherits, on a
#: transparent ground. No information is conveyed by colour alone.
OUTPUT_CSS = read_css(__file__, "output.css")

#: Styles for the live widgets.
CSS = OUTPUT_CSS + read_css(__file__, "widget.css") + read_css(__file__, "forced_colors.css")

#: Elements without an end tag, of those that this package uses.
_VOID = ("img", "input")
#: With these begin and end the formulas of MathJax, KaTeX and GitHub: $…$, $$…$$, \(…\), \[…\], \begin{…}.
_DELIMITER = re.compile(r"[$\\]")
#: The characters at the beginning and at the end of a long file name that are shown.
_ENDS = 12


def text(value: object) -> Markup:
    """Return text as HTML in which no page finds a formula; markup is returned unchanged.

    A formula cannot reach from one element into another, so each delimiter is in an element of its own. This
    works wherever formulas are typeset, unlike a CSS class that excludes an element.
    """
    if hasattr(value, "__html__"):
        return escape(value)
    return Markup(_DELIMITER.sub(r"<span>\g<0></span>", str(escape(value))))


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Return the parts joined into one."""
    return Markup(between).join(parts)


def short_name(name: str) -> str:
    """Return the name of a file; only its beginning and its end if it is long, such as that of an upload."""
    return name if len(name) <= 2 * _ENDS else f"{name[:_ENDS]}…{name[-_ENDS:]}"


def tag(name: str, *inner: Markup, **attributes: str | None) -> Markup:
    """Return an element with escaped attributes; an attribute that is ``None`` is omitted.

    ``class_`` stands for ``class``, and an underscore inside a name for a hyphen.
    """
    attributes_html = join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    start = Markup("<{0}{1}>").format(Markup(name), attributes_html)
    return start if name in _VOID else Markup("{0}{1}</{2}>").format(start, join(inner), Markup(name))


def span(value: object, class_: str | None = None) -> Markup:
    """Return a ``span`` element with text."""
    return tag("span", text(value), class_=class_)


def note(value: object, kind: str = "dim") -> Markup:
    """Return a separate line: ``dim`` for details, ``hint`` for advice, ``alarm`` for errors to fix."""
    return tag("div", text(value), class_=f"qingbo-{kind}")


def user_text(value: object, name: str = "div", **attributes: str | None) -> Markup:
    """Return an element with text of the user, in the writing direction of its first letter.

    Its language is unknown, whatever that of the texts around it.
    """
    return tag(name, text(value), **attributes, dir="auto", lang="")


def code_block(code: str) -> Markup:
    """Return code on lines of its own; no page typesets formulas in it."""
    return tag("pre", tag("code", escape(code)), dir="ltr")


def block(*inner: Markup, class_: str = "", **attributes: str | None) -> Markup:
    """Return the outermost element of an output, with the language of its texts."""
    return tag("div", *inner, class_=f"qingbo-html {class_}".rstrip(), lang=locale(), **attributes)


def chips(*words: str) -> Markup:
    """Return short facts side by side; empty ones are omitted."""
    return join((span(word, "qingbo-chip") for word in words if word), " ")


def is_web(url: str) -> bool:
    """Return True if the URL is http(s), and not ``javascript:`` or the like."""
    try:
        return urlsplit(url.strip()).scheme.lower() in ("http", "https")
    except ValueError:
        return False


def run_in_page(handler: str, **attributes: str) -> Markup:
    """Return invisible HTML whose handler runs as soon as it is in a page that runs handlers."""
    # The image cannot be decoded.
    return tag("img", hidden="", alt="", src="data:,", onerror=handler, **attributes)


def style(css: str = CSS) -> Markup:
    """Return a style element; the CSS is not escaped and must never come from a user."""
    return Markup(f"<style>{css}</style>")


def lazy(html: Markup) -> Markup:
    """Return HTML whose videos are not loaded before they come into view, where the browser supports that."""
    # No attribute contains a "<".
    return Markup(str(html).replace("<video ", '<video loading="lazy" '))


def unloaded(html: Markup) -> Markup:
    """Return HTML whose videos are not loaded before the user plays them, because it is soon rewritten."""
    return Markup(str(html).replace('preload="metadata"', 'preload="none"'))


def output_style(markup: str) -> Markup:
    """Return the style element of an output, with only those output rules that its markup uses."""
    classes = {name for names in re.findall(r'class="([^"]*)"', markup) for name in names.split()}
    parts = {f".{name}" for name in classes} | set(re.findall(r"<([a-z]+)", markup))
    used = []
    for selectors, declarations in _rules():
        if matching := [selector for selector, needed in selectors if needed <= parts]:
            used.append(",".join(matching) + declarations)
    return style("".join(used))


@cache
def _rules() -> list[tuple[list[tuple[str, frozenset[str]]], str]]:
    """Return the output rules: selectors, each with its classes and tags, and the declarations."""
    return [
        (
            [
                (one, frozenset(re.findall(r"\.[\w-]+|(?<![\w.:-])[a-z]+", one)))
                for one in selectors.split(",")
            ],
            declarations,
        )
        for selectors, declarations in re.findall(r"([^{}]+)(\{[^{}]*\})", OUTPUT_CSS)
    ]
