"""The host of this interpreter: what it tells of the running cell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from qingbo_widgets.system import host
from qingbo_widgets.system.host import in_notebook, running_cell, running_source


@pytest.mark.parametrize(
    ("parent", "cell", "source"),
    [
        (None, ("", ""), ""),
        ("a text", ("", ""), ""),
        ({}, ("", ""), ""),
        ({"metadata": None, "header": 7, "content": []}, ("", ""), ""),
        ({"metadata": {"cellId": None}, "header": {"msg_id": 7}, "content": {"code": None}}, ("", ""), ""),
        ({"header": {"msg_id": "r1"}, "content": {"code": "1 + 1"}}, ("", "r1"), "1 + 1"),
        ({"metadata": {"cellId": "4e1"}, "header": {"msg_id": "r1"}}, ("4e1", "r1"), ""),
    ],
)
def test_the_running_cell(
    monkeypatch: pytest.MonkeyPatch, parent: object, cell: tuple[str, str], source: str
) -> None:
    """Of a request of any shape, what it has is read; a program that runs a notebook sends no cell id."""
    monkeypatch.setattr(host, "shell", lambda: SimpleNamespace(get_parent=lambda: parent))
    assert (running_cell(), running_source()) == (cell, source)


@pytest.mark.parametrize("shell", [None, object()])
def test_a_shell_without_cells(monkeypatch: pytest.MonkeyPatch, shell: object) -> None:
    """A script, and a terminal, run no cells."""
    monkeypatch.setattr(host, "shell", lambda: shell)
    assert (running_cell(), running_source(), in_notebook()) == (("", ""), "", False)
