"""Tests of the import of jsonschema by the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRAMMAR = """
print("grammar")
def is_valid_syntax(rule, text):
    return text == "valid"
"""
CODE = """
from qingbo_widgets.sandbox.contracts.v2026_11 import contract
print("contract")
from jsonschema import FormatChecker
print(*(FormatChecker().conforms(text, "iri") for text in ("valid", "invalid")))
"""


@pytest.mark.slow
def test_the_sandbox_starts_without_the_grammar_of_another_format(tmp_path: Path) -> None:
    """Sandbox(contract="2026-11") does not wait for a grammar that only other users of jsonschema need."""
    (tmp_path / "rfc3987_syntax.py").write_text(GRAMMAR, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.split() == ["contract", "grammar", "True", "False"], (
        "the grammar is read at the first check of its format, and that check is made"
    )
