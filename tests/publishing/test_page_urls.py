"""The URLs of a page are found and replaced, and nothing else of it changes."""

from __future__ import annotations

import json

import pytest

from qingbo_widgets.publishing.page_urls import replace_urls

STATE = '<script type="application/vnd.jupyter.widget-state+json">{}</script>'


def found(page: str) -> list[tuple[str, bool]]:
    """Return the URLs of a page, and whether it shows the files itself."""
    urls = []

    def note(url: str, is_shown: bool) -> None:
        urls.append((url, is_shown))

    assert replace_urls(page, note) == page
    return urls


def changed(page: str) -> str:
    """Return a page with ``koi`` in its URLs replaced by text that HTML and JSON must escape."""
    return replace_urls(page, lambda url, _: url.replace("koi", "a&\"<'b") if "koi" in url else None)


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ('<video src="./koi.mp4" controls></video>', [("./koi.mp4", True)]),
        ("<VIDEO\n SRC='koi%20%E9%B1%BC.mp4'\n/>", [("koi%20%E9%B1%BC.mp4", True)]),
        ("<video src=koi.mp4 poster=koi.jpg>", [("koi.mp4", True), ("koi.jpg", True)]),
        ('<a href="koi-2.mp4">second</a>', [("koi-2.mp4", False)]),
        ('<img src="a&amp;b.jpg" alt="x">', [("a&b.jpg", True)]),
        ('<img srcset="a.jpg 1x, b.jpg 2x,c.jpg">', [("a.jpg", True), ("b.jpg", True), ("c.jpg", True)]),
        ('<video><source src="koi.webm" type="video/webm"></video>', [("koi.webm", True)]),
        ("<img alt='src=\"koi.mp4\"' title=\"a > b src='x.mp4'\">", []),
        ('<!-- <video src="koi.mp4"> --><script>"<video src=koi.mp4>"</script>', []),
        ("<video src>", []),
        ('<video src="">', [("", True)]),
        ('text src="koi.mp4" &lt;video src="koi.mp4"&gt;', []),
        ('<video src="koi.mp4', []),
    ],
)
def test_urls_are_found(page: str, urls: list[tuple[str, bool]]) -> None:
    """Attributes of elements are read as a browser reads them; texts, comments and scripts are not."""
    assert found(page) == urls


def test_urls_in_the_state_of_widgets_are_found() -> None:
    """Outputs that widgets will show, and URLs that they have by themselves, are URLs of the page."""
    state = {
        "state": {
            "1": {"outputs": [{"data": {"text/html": '<video src="./koi.mp4"></video>'}}], "value": "a < b"},
            "2": {"preview": "../videos/crane.mp4", "prompt": "./koi.mp4 swims", "name": "koi.mp4", "n": 1.5},
        }
    }
    assert found(STATE.format(json.dumps(state))) == [("./koi.mp4", True), ("../videos/crane.mp4", True)]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"<video src=koi.mp4', "NaN"])
def test_a_broken_state_is_left_alone(text: str) -> None:
    """A state that cannot be read stays in the page as it is."""
    assert found(STATE.format(text)) == []


def test_only_the_url_changes() -> None:
    """Line ends, entities, broken markup and characters of any kind stay as they were."""
    page = "<p>&eacute; \r\n<b <i>鱼\udcff\n<video  controls SRC='koi.mp4' loop>&amp;</p></x>\"<"
    assert changed(page) == page.replace("'koi.mp4'", '"a&amp;&quot;&lt;&#x27;b.mp4"')


def test_a_changed_state_stays_json_and_inside_its_script() -> None:
    """A URL in a state is escaped twice, and no text of the state ends the script."""
    page = "\n\n" + STATE.format('{"a": ["<video src=\\"koi.mp4\\"><\\/script>", 1e-7, "\\ud800"]}') + "<p>"
    new = changed(page)
    assert new.count("</script>") == 1
    assert new.startswith("\n\n<script type=")
    text = new.partition(">")[2].partition("</script>")[0]
    video = '<video src="a&amp;&quot;&lt;&#x27;b.mp4"></script>'
    assert json.loads(text) == {"a": [video, 1e-7, "\ud800"]}


def test_candidates_of_a_srcset_keep_their_widths() -> None:
    """Only the URLs of a ``srcset`` change."""
    assert changed('<img srcset="koi.jpg 1x, x.jpg 2x">') == (
        '<img srcset="a&amp;&quot;&lt;&#x27;b.jpg 1x, x.jpg 2x">'
    )
