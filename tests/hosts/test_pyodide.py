"""Pyodide, the Python of JupyterLite, run by Node.js: what needs a thread says so, the rest works."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

import qingbo_widgets
from tests.hosts.npm import npm_package
from tests.hosts.results import record
from tests.missing import skip_without

pytestmark = pytest.mark.host

VERSION = "314.0.7"
#: Runs Python with the package and its libraries, of which only those without compiled parts can be imported.
RUN = """
import { loadPyodide } from "./package/pyodide.mjs";
const [packages, library, code] = process.argv.slice(2);
const python = await loadPyodide({ indexURL: "./package/" });
for (const [path, folder] of [["/packages", packages], ["/library", library]]) {
    python.FS.mkdirTree(path);
    python.mountNodeFS(path, folder);
}
console.log(python.runPython(code));
process.exit(0);
"""
STEPS = {
    "connect": "qw.connect(sandbox=True)",
    "connect in Chinese": "qw.set_locale('zh'); qw.connect('a-key')",
    "English": "qw.set_locale('en')",
    "generate": "qw.generate('a koi')",
    "studio": "qw.VideoStudio()",
    "request": "result = qw.VideoRequest(prompt='a koi').problems()",
    "form": "result = qw.RequestForm(prompt='a koi').request.prompt",
    "gallery": "result = qw.Gallery('films').total",
}
CODE = """
import json, sys, sysconfig
sys.path[:0] = ["/library", "/packages"]
import qingbo_widgets as qw
found = {"version": sys.version.split()[0]}
for name, code in json.loads(%r).items():
    names = {"qw": qw}
    try:
        exec(code, names)
        found[name] = repr(names.get("result"))
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
json.dumps(found)
"""
REFUSAL = "QingboError: qingbo_widgets cannot run in the browser (JupyterLite, Pyodide)"


def test_pyodide_says_what_it_lacks(tmp_path: Path) -> None:
    """The package can be imported, and requests checked; whatever would need a thread is one sentence."""
    node = shutil.which("node")
    if node is None:
        skip_without("Node.js is not installed", "install Node.js")
    (tmp_path / "package").symlink_to(npm_package("pyodide", VERSION))
    (tmp_path / "run.mjs").write_text(RUN, encoding="utf-8")
    library = Path(qingbo_widgets.__file__).parents[1]
    packages = sysconfig.get_path("purelib")
    command = [node, "run.mjs", packages, str(library), CODE % json.dumps(STEPS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    found = json.loads(done.stdout.splitlines()[-1])
    for step in ("connect", "generate", "studio"):
        assert found[step].startswith(REFUSAL), f"{step}: {found[step]}"
    assert found["connect in Chinese"].startswith("QingboError: qingbo_widgets 不能在浏览器中运行"), found
    assert (found["request"], found["form"], found["gallery"]) == ("()", "'a koi'", "0"), found
    versions = {"pyodide": VERSION, "python": found["version"]}
    record("jupyterlite", versions, form="no", card="no", video="no", review="partly")
