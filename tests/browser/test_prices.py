"""The price beside Generate and the prices in the list of models, in a browser."""

from __future__ import annotations

import re

from harness import Notebook, Recorder
from playwright.sync_api import Locator, expect

CONNECTED = (
    "import qingbo_widgets as qw\n"
    "sandbox = qw.Sandbox(speed=20, draft=True, contract='2026-11').start()\n"
    "manager = qw.connect(sandbox=sandbox)"
)
#: A studio that requests its list of prices once the user has chosen a model.
LATE = """
from qingbo_widgets.widgets.base.sync import refresher
from qingbo_widgets.widgets.form import model_prices
model_prices.LOAD_AFTER = 3600
studio = qw.VideoStudio(manager, model='kling-v3')
def load(change):
    if change['new'] == 'kling-v3-omni':
        refresher.later(1.0, studio.form._prices._load)
studio.form.observe(load, 'model')
studio"""
STUDIO = "studio = qw.VideoStudio(manager, model='kling-v3')\nstudio"
#: Within the studio.
TOP = (
    "Math.round(element.getBoundingClientRect().top"
    " - element.closest('.qingbo-studio').getBoundingClientRect().top)"
)


def chosen(select: Locator) -> str:
    """Return the text of the option that a list shows."""
    text: str = select.evaluate("select => select.selectedOptions[0].text")
    return text.replace("\xa0", " ")


def test_the_price_of_another_duration(notebook: Notebook) -> None:
    """The user sees the price before the click, that of another duration, and the sum; nothing jumps."""
    page = notebook([CONNECTED, STUDIO], width=1700).run_all()
    studio = page.output(1)
    price, button = studio.locator(".qingbo-price"), studio.locator("button.mod-primary")
    expect(price).to_have_text("$0.378, not charged")
    expect(price.locator("span[title]")).to_have_attribute("title", re.compile(r"^Quoted by the service, 20"))
    tops = Recorder(page.page, ".qingbo-studio button.mod-primary", TOP)
    texts = Recorder(page.page, ".qingbo-price", "element.innerText.trim()")
    studio.get_by_label("Duration", exact=True).select_option("10 s")
    expect(price).to_have_text("$0.756, not charged")
    studio.get_by_label("Variations", exact=True).select_option("× 3")
    expect(price).to_have_text("$2.268 for 3, not charged ($0.756 each)")
    studio.get_by_label("Prompt", exact=True).fill("A koi")
    expect(button).to_be_enabled()
    assert len(tops.values) == 1, f"Generate moved: {tops.values}"
    assert [text for text in texts.values if "$0.378" in text] == texts.values[:1], texts.values
    for theme in ("light", "dark"):
        page.theme(theme).screenshot(f"price-{theme}")
    page.theme("light")
    page.viewport(506).screenshot("price-narrow")
    assert page.problems == []


def test_prices_come_while_the_user_chooses_a_model(notebook: Notebook) -> None:
    """The list of models gets its prices while it has the focus: the focus and the choice stay."""
    page = notebook([CONNECTED, LATE]).run_all()
    studio = page.output(1)
    select = studio.get_by_label("Model", exact=True)
    expect(select.locator("option", has_text="kling")).to_have_count(7)
    expect(select.locator("option", has_text="$")).to_have_count(0)
    select.focus()
    page.page.keyboard.type("kling-v3-o")
    page.page.keyboard.press("Alt+ArrowDown")
    expect(select.locator("option", has_text="$")).to_have_count(7)
    expect(select).to_be_focused()
    assert chosen(select).startswith("kling-v3-omni · $0.0756/s: "), "the choice stays"
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    expect(select).to_be_focused()
    assert chosen(select).startswith("kling-video-o1 · $0.0756/s: "), "the next model is chosen"
    page.page.keyboard.type("kling-3")
    assert chosen(select).startswith("kling-3.0-turbo · $0.1287/s: "), "typing the name finds the model"
    expect(studio.locator(".qingbo-price")).to_have_text("$0.6435, not charged")
    assert page.problems == []
