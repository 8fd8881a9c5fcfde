"""A Python in the browser, which has no threads: ``connect`` and the studio refuse with one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import qingbo_widgets as qw

# Imported here, because urllib3 expects the page's modules on this platform.
from qingbo_widgets import QingboError, VideoStudio, connect
from qingbo_widgets.sandbox import server

SENTENCES = {
    "en": "qingbo_widgets cannot run in the browser (JupyterLite, Pyodide)",
    "zh": "qingbo_widgets 不能在浏览器中运行（JupyterLite、Pyodide）",
}
CALLS: dict[str, Callable[[], object]] = {
    "connect to the sandbox": lambda: connect(sandbox=True),
    "connect to the service": lambda: connect("a-key-of-a-user"),
    "the studio": lambda: VideoStudio(),
}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("call", CALLS)
def test_a_python_in_the_browser(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: str, language: str
) -> None:
    """One sentence in the user's language names what to use instead; no folder and no server is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(server, "_Running", lambda *_: pytest.fail("the sandbox was started"))
    qw.set_locale(language)
    with pytest.raises(QingboError) as raised:
        CALLS[call]()
    assert SENTENCES[language] in str(raised.value)
    assert "Jupyter" in str(raised.value).partition("：" if language == "zh" else ":")[2]
    assert list(tmp_path.iterdir()) == []
