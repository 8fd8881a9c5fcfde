"""Scripts that a page cannot load: anywidget is not installed where Jupyter runs, or a policy forbids them.

A box with ``SCRIPTS_CLASS`` hides the page's own error message. After some seconds it shows the line of
``missing_script``, unless a script has marked its element with the class ``qingbo-script-runs`` by then.
"""

from __future__ import annotations

from ...i18n import N_, tr
from .html import Markup, tag, text

__all__ = ["SCRIPTS_CLASS", "missing_script"]

#: The CSS class of a box that contains widgets with scripts.
SCRIPTS_CLASS = "qingbo-scripts"

_INSTALL = N_(
    "This page could not load anywidget. Install it where Jupyter runs (pip install anywidget), then reload "
    "the page. If it is installed, the server's security policy blocks scripts from blob: URLs."
)


def missing_script(consequence: str) -> Markup:
    """Return the line for a page that has not run the script.

    Args:
        consequence: what the user can do without the script.
    """
    return tag("div", text(f"{tr(_INSTALL)} {consequence}"), class_="qingbo-hint qingbo-no-script")
