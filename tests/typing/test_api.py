"""Test that the static type test of the public API is complete; mypy itself runs in ``make lint``."""

from __future__ import annotations

import ast
from pathlib import Path

import qingbo_widgets as qw

API = Path(__file__).with_name("api.py")


def test_every_public_name_is_in_the_typing_test() -> None:
    """Every name in ``__all__`` is used in the static type test."""
    used = {
        node.attr
        for node in ast.walk(ast.parse(API.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "qw"
    }
    assert set(qw.__all__) - used == set()
