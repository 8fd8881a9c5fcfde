"""The scripts of widgets: one module for the page, and a line for a page that cannot load it.

Either anywidget is not installed where Jupyter runs, or a policy forbids scripts. A box with
``SCRIPTS_CLASS`` hides the page's own error message. After some seconds it shows the line of
``missing_script``, unless a script has marked its element with the class ``qingbo-script-runs`` by then.
"""

from __future__ import annotations

import re
from pathlib import Path

from ...i18n import N_, tr
from .html import Markup, tag, text

__all__ = ["SCRIPTS_CLASS", "missing_script", "one_module"]

#: The CSS class of a box that contains widgets with scripts.
SCRIPTS_CLASS = "qingbo-scripts"

#: An import of another script of the package, which a page could not load.
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)

_INSTALL = N_(
    "This page could not load anywidget. Install it where Jupyter runs (pip install anywidget), then reload "
    "the page. If installed, the server's security policy blocks scripts from blob: URLs."
)


def one_module(path: Path) -> str:
    """Return a script and all that it imports as one module, each script after those that it imports.

    They share one scope, so what they define outside of functions must have different names.
    """
    found: dict[Path, str] = {}

    def add(script: Path) -> None:
        if script not in found:
            text = script.read_text(encoding="utf-8")
            for imported in _IMPORT.findall(text):
                add((script.parent / imported).resolve())
            found[script] = _IMPORT.sub("", text)

    add(path.resolve())
    return "".join(found.values())


def missing_script(consequence: str) -> Markup:
    """Return the line for a page that has not run the script.

    Args:
        consequence: what the user can do without the script.
    """
    return tag("div", text(f"{tr(_INSTALL)} {consequence}"), class_="qingbo-hint qingbo-no-script")
