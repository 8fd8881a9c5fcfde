"""Tests of the READMEs and the guides: their code runs, links and tables are correct."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from qingbo_widgets.demo import execute
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.contract.models import models_of
from tests.notebooks.outputs import sped_up

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh.md")
GUIDES = ("docs/contract-2026-11.md", "docs/contract-2026-11.zh.md")
MONEY = ("docs/money.md", "docs/money.zh.md")
PICTURES = ("docs/pictures.md", "docs/pictures.zh.md")
#: The videos that the code of a document makes, with the key of a user and on its own sandboxes.
VIDEOS = {
    "README.md": 1 + 1 + 4 + 4,
    "docs/contract-2026-11.md": 9,
    "docs/pictures.md": 3,
    "docs/money.md": 2 + 4,
}
#: Waits for the tasks that a document leaves running.
ALL_TASKS = """
for each in [*globals().values()]:
    if isinstance(each, qw.Task):
        await each
if "sandbox" in globals():
    for each in qw.connect(sandbox=sandbox).tasks:
        await each
"""


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    "pair", [READMES, GUIDES, PICTURES, MONEY], ids=["README", "guide", "pictures", "money"]
)
def test_both_languages_show_the_same_code(pair: tuple[str, str]) -> None:
    """The translation has the same code as the original, except for comments."""
    bare = [
        [re.sub(r"\s*#.*", "", block) for language in ("python", "sh") for block in blocks(name, language)]
        for name in pair
    ]
    assert bare[0] == bare[1]
    assert len(bare[0]) >= 3


@pytest.mark.parametrize("name", READMES)
def test_links_and_pictures_exist(name: str) -> None:
    """Every file linked from a README exists."""
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r'\]\((?!http)([^)#]+)\)|(?:src|srcset)="([^"]+)"', text)
    assert targets
    missing = [target for pair in targets for target in pair if target and not (ROOT / target).exists()]
    assert missing == []


@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEOS)
def test_the_code_runs(workdir: Path, sandbox: Sandbox, name: str) -> None:
    """The Python of a document, run cell by cell, makes its videos for a user with a key and a photograph."""
    Image.new("RGB", (800, 600), "navy").save(workdir / "koi.jpg")
    code = [
        block.replace(
            'sandbox=True, contract="2026-11"', 'sandbox=qw.Sandbox(speed=10, contract="2026-11")'
        ).replace("sandbox=True", "sandbox=qw.Sandbox(speed=10)")
        for block in blocks(name, "python")
    ]
    notebook = sped_up(new_notebook(cells=[new_code_cell(cell) for cell in (*code, ALL_TASKS)]))
    service = {"QINGBO_BASE_URL": sandbox.base_url, "QINGBO_API_KEY": sandbox.api_key}
    execute(notebook, workdir, environment={**os.environ, **service})
    assert len(list((workdir / "qingbo_videos").glob("*.mp4"))) == VIDEOS[name]


@pytest.mark.parametrize("name", [*READMES, "notebooks/parameters.ipynb"])
def test_the_tables_of_models_match_the_contract(name: str) -> None:
    """Each model accepts the parameters in the tables, and no parameter is left out."""
    text = (ROOT / name).read_text(encoding="utf-8")
    head = next(line for line in text.splitlines() if "| `kling-v3` | `kling-v2-master` |" in line)
    models = re.findall(r"`(kling-[^`]+)`", head)
    assert models == list(models_of())
    rows = [line.split("|")[1:] for line in text.split(head)[1].splitlines()[2:30] if "|" in line]
    documented: dict[str, list[bool]] = {}
    for first, *cells in rows:
        if not re.search(r"`[a-z_]+`", first):
            break
        accepted = [bool(cell.strip()) for cell in cells[: len(models)]]
        documented |= dict.fromkeys(re.findall(r"`([a-z_]+)`", first), accepted)
    supported = {
        field: [field in model.parameters for model in models_of().values()]
        for field in models_of().parameters
    }
    assert documented.items() <= supported.items()
    assert documented.keys() >= {field for field, accepted in supported.items() if not all(accepted)}
