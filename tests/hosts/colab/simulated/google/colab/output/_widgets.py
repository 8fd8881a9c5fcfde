"""The widget manager of an output that loads the scripts of other packages."""

from typing import Any

from IPython.core.getipython import get_ipython

__all__ = ["enable_custom_widget_manager"]

VIEW = "application/vnd.jupyter.widget-view+json"
_installed_url: str | None = None


def enable_custom_widget_manager(version: str = "5.0.0a") -> None:
    """Mark the views of what this thread displays; only the first call has an effect."""
    global _installed_url
    if _installed_url is None:
        get_ipython().display_pub.register_hook(_marked)
        _installed_url = f"https://ssl.gstatic.com/simulated/{version}/manager.min.js"


def _marked(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    if VIEW in content.get("data", {}):
        manager = {"custom_widget_manager": {"url": _installed_url}}
        content["metadata"].setdefault(VIEW, {})["colab"] = manager
    return message
