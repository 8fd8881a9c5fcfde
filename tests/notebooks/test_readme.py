"""The code in the READMEs is code that runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from qingbo_widgets.demo import execute
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.contract.models import models_of

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh.md")


def blocks(name: str, language: str) -> list[str]:
    """Returns the code blocks of a README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def test_both_show_the_same_code() -> None:
    """The translation has the same code as the original, comments aside."""
    bare = [
        [re.sub(r"\s*#.*", "", block) for language in ("python", "sh") for block in blocks(name, language)]
        for name in READMES
    ]
    assert bare[0] == bare[1]
    assert len(bare[0]) >= 6


@pytest.mark.parametrize("name", READMES)
def test_links_and_pictures_are_there(name: str) -> None:
    """Every file that a README points at exists."""
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r'\]\((?!http)([^)#]+)\)|(?:src|srcset)="([^"]+)"', text)
    assert targets
    missing = [target for pair in targets for target in pair if target and not (ROOT / target).exists()]
    assert missing == []


@pytest.mark.slow
def test_the_code_runs(workdir: Path, sandbox: Sandbox) -> None:
    """The README's Python, cell by cell, makes a video for somebody who has a key."""
    notebook = new_notebook(cells=[new_code_cell(block) for block in blocks("README.md", "python")])
    service = {"QINGBO_BASE_URL": sandbox.base_url, "QINGBO_API_KEY": sandbox.api_key}
    execute(notebook, workdir, environment={**os.environ, **service})
    assert len(list((workdir / "qingbo_videos").glob("*.mp4"))) == 1


@pytest.mark.parametrize("name", [*READMES, "notebooks/parameters.ipynb"])
def test_the_tables_of_models_are_those_of_the_description(name: str) -> None:
    """Each model takes what the tables say that it takes, and no parameter is left out."""
    text = (ROOT / name).read_text(encoding="utf-8")
    head = next(line for line in text.splitlines() if "| `kling-v3` | `kling-v2-master` |" in line)
    models = re.findall(r"`(kling-[^`]+)`", head)
    assert models == list(models_of())
    rows = [line.split("|")[1:] for line in text.split(head)[1].splitlines()[2:12] if "|" in line]
    stated: dict[str, list[bool]] = {}
    for first, *cells in rows:
        if not re.search(r"`[a-z_]+`", first):
            break
        takes = [bool(cell.strip()) for cell in cells[: len(models)]]
        stated |= dict.fromkeys(re.findall(r"`([a-z_]+)`", first), takes)
    described = {
        field: [field in model.parameters for model in models_of().values()]
        for field in models_of().parameters
    }
    assert stated.items() <= described.items()
    assert stated.keys() >= {field for field, takes in described.items() if not all(takes)}
