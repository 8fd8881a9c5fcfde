"""Take the pictures of the README in a real JupyterLab, with the studio and the sandbox."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "browser")]

from ensure_browser import find_browser  # noqa: E402 - found by the line above
from harness import Lab, NotebookPage, launch, playable, seek  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Locator, Page, expect, sync_playwright  # noqa: E402

from qingbo_widgets.system.console import accept_any_text  # noqa: E402

DOCS = ROOT / "docs"
LARGEST = 400_000
CELL = (
    "import qingbo_widgets as qw\n\n"
    "qw.connect(sandbox=qw.Sandbox(speed=3))  # {comment}\n"
    "studio = qw.VideoStudio({locale})\n"
    "studio"
)
#: The first cell of each language's picture.
CELLS = {
    "": CELL.format(comment="or qw.connect(), with your key", locale=""),
    "zh-": CELL.format(comment="或用你的密钥：qw.connect()", locale='locale="zh"'),
}
PROMPT = "黄昏的湖面，一只纸船随波漂流"


def shoot(lab: Lab, page: Page, language: str) -> None:
    """Fill in the studio, wait for the finished video, and take both pictures."""
    path = lab.write(f"{language}koi/koi.ipynb", [CELLS[language]])
    notebook = NotebookPage(lab, page, path, DOCS).open().run_all()
    studio = notebook.output(0)
    generate = studio.locator("button.mod-primary")

    studio.locator("textarea").first.fill(PROMPT)
    expect(generate).to_be_enabled()
    generate.click()
    video = studio.locator("video:visible")
    expect(video).to_have_count(1, timeout=120_000)
    playable(video)
    seek(video, 2.5)
    for theme in ("light", "dark"):
        notebook.theme(theme)
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)")
        wait_still(video)
        compress(notebook.screenshot(f"studio-{language}{theme}"))


def wait_still(video: Locator) -> None:
    """Wait until a paused ``<video>`` has its frame, without the browser's turning sign of loading.

    The sign ends its turn after the frame is there, and no property or event says so.
    """
    video.page.wait_for_function("video => video.readyState === 4", arg=video.element_handle())
    before = b""
    while (now := video.screenshot()) != before:
        before = now
        video.page.wait_for_timeout(300)


def compress(path: Path) -> None:
    """Shrink a picture for a README that is read on a phone."""
    for colours in (None, 256, 128):
        if colours is not None:
            with Image.open(path) as picture:
                picture.convert("RGB").quantize(colours).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    print(f"── {path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


def main() -> int:
    """Take the pictures; the exit status is 1 if there is no browser."""
    accept_any_text()
    browser_path = find_browser()
    if browser_path is None:
        print("There is no browser to take pictures with.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        Lab(Path(folder)) as lab,
        sync_playwright() as playwright,
        launch(playwright, browser_path) as browser,
    ):
        for language in CELLS:
            shoot(lab, browser.new_page(viewport={"width": 1280, "height": 900}), language)
    return 0


if __name__ == "__main__":
    sys.exit(main())
