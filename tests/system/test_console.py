"""Output for terminals, pipes and logs that cannot encode every character, in real processes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qingbo_widgets.system.console import encodable, write_line

ENCODINGS = ["cp1252", "cp936", "cp437", "ascii", "utf-8"]
TEXT = "── 一条锦鲤… 100 % → “koi” \U0001f41f \ud83d"
ROOT = Path(__file__).parents[2]


def run(*arguments: str, encoding: str, **environment: str) -> str:
    """Return the output of a process whose streams have this encoding, as in a pipe on Windows."""
    done = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LANGUAGE": "zh", **environment},
        cwd=ROOT,
        check=False,
    )
    output = done.stdout.decode(encoding)
    assert done.returncode == 0, output
    return output


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_text_fits(encoding: str) -> None:
    """A missing character becomes a similar one or a question mark; all others stay."""
    stream = io.TextIOWrapper(buffer := io.BytesIO(), encoding=encoding, newline="\n")
    write_line(TEXT, stream)
    stream.flush()
    output = buffer.getvalue().decode(encoding)
    assert output == encodable(TEXT, stream) + "\n"
    assert len(encodable("一条锦鲤", stream)) == 4
    assert ("锦鲤" in output) == (encoding in ("cp936", "utf-8"))
    assert encodable("─…→", stream) == {"cp1252": "-…>", "ascii": "-...>", "cp437": "─...>"}.get(
        encoding, "─…→"
    )


def test_a_stream_of_no_encoding() -> None:
    """A StringIO accepts every character; a stream with an unknown encoding gets ASCII."""
    assert encodable(TEXT, io.StringIO()) == TEXT

    class Odd(io.StringIO):
        encoding = "x-unheard-of"

    assert encodable("锦鲤 koi", Odd()) == "?? koi"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_command_takes_any_text(encoding: str) -> None:
    """After ``accept_any_text``, ``print`` never raises, for either stream."""
    code = (
        "import sys; from qingbo_widgets.system.console import accept_any_text; accept_any_text()\n"
        f"text = {TEXT!a}\nprint(text)\nprint(text, file=sys.stderr)"
    )
    output = run("-c", code, encoding=encoding)
    assert output.count("100 %") == 2


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("arguments", [["--help"], ["sandbox", "--help"], ["demo", "--help"]])
def test_help_in_any_console(arguments: list[str], encoding: str) -> None:
    """The help is printed in any encoding."""
    assert "usage:" in run("-m", "qingbo_widgets", *arguments, encoding=encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "cp936"])
def test_the_tools_in_any_console(encoding: str) -> None:
    """The tools, which draw lines and print paths that may be Chinese, work in any encoding."""
    assert "browser:" in run("tools/ensure_browser.py", encoding=encoding, CHROMIUM=sys.executable)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp936", "ascii"])
def test_the_demo_in_any_console(workdir: Path, encoding: str) -> None:
    """The demo prints Chinese if the encoding allows it, and prints the error of a failed notebook."""
    (workdir / "notebooks").mkdir()
    code = (
        "import sys, pathlib, nbformat\nfrom nbformat.v4 import new_code_cell, new_notebook\n"
        "from qingbo_widgets import demo\nfrom qingbo_widgets.__main__ import main\n"
        f"folder = pathlib.Path({str(workdir)!r}, 'notebooks')\n"
        "book = new_notebook(cells=[new_code_cell('raise ValueError(\"锦鲤\")')])\n"
        "nbformat.write(book, folder / 'quickstart.ipynb')\n"
        "demo.notebooks_folder = lambda: folder\n"
        f"assert main(['demo', '--once', '--folder', {str(workdir / 'demo')!r}]) == 1"
    )
    output = run("-c", code, encoding=encoding, JUPYTER_DATA_DIR=str(workdir / "data"))
    assert "ValueError" in output
    assert ("锦鲤" in output) == (encoding == "cp936")
