"""A model of Google Colab's page, which applies the kernel's messages by Colab's rules.

The rules, and where they are public:

- *Versions*: Python, ipykernel 6.17.1, IPython 7.34, traitlets 5.7.1 and ipywidgets 7.7.1, as issues of
  googlecolab/colabtools name them; ``requirements/hosts/colab.in`` has them.
- *Widgets of other packages* load only in an output whose message has ``custom_widget_manager`` in the
  metadata of its view (colabtools, ``google/colab/output/_widgets.py``). A hook of ``display_pub`` adds it,
  and ipykernel keeps hooks by thread (``ipykernel/zmqshell.py``). The results of cells do not pass through it
  (manzt/anywidget#63).
- *Background threads* repaint nothing; the state that a cell sends does (googlecolab/colabtools#3373).
- *No files* of the kernel's machine reach the page: a video plays only as a ``data:`` URL. Each cell's output
  is a frame of its own on another host (googlecolab/colabtools#19).
- *No ids* of cells are sent, and the page counts no views: the least that a page may do.

Taken at their strictest: whatever a thread sends is lost, while a cell runs too. Only new models are kept, as
if the page asked the kernel for a model that it does not know.

Not simulated: how it looks, the limits of a saved notebook, sign-in, the real manager of widgets and its CDN,
runtimes that end, and ``google.colab`` beyond its widgets. CONTRIBUTING.md has a checklist for the real one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ColabPage"]

VIEW = "application/vnd.jupyter.widget-view+json"
_REFERENCE = "IPY_MODEL_"
_NOT_SHOWN = re.compile(r"<style>.*?</style>|<script>.*?</script>", re.DOTALL)
#: Hides, inside a live view, the outputs with this class.
_LIVE = re.compile(r'class="(qingbo-static-copy-\w+)-live"')
_VIDEO = re.compile(r"""<video[^>]*?\ssrc="([^"]*)\"""")


@dataclass
class Output:
    """An output of a cell."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
    display: str


@dataclass
class ColabPage:
    """The page.

    Attributes:
        models: the state of each widget, by its id.
        lost: the number of messages of threads that were not painted.
    """

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: int = 0
    _cells: dict[str, list[Output]] = field(default_factory=dict)
    _history: list[str] = field(default_factory=list)

    def receive(self, message: Mapping[str, Any]) -> None:
        """Apply a message of the kernel."""
        kind, content = message["msg_type"], message["content"]
        is_painted = message["metadata"].get("is_main", True)
        if kind == "comm_open":
            self.models[content["comm_id"]] = {**content["data"].get("state", {})}
        elif kind not in ("comm_msg", "display_data", "update_display_data", "execute_result"):
            return
        elif not is_painted:
            self.lost += 1
        elif kind == "comm_msg":
            self._update(content["comm_id"], content["data"])
        else:
            self._show(kind, str(message["parent_header"].get("msg_id", "")), content)

    def _update(self, model: str, data: Mapping[str, Any]) -> None:
        if data.get("method") == "update" and model in self.models:
            self.models[model].update(data["state"])
            self._history.append(" ".join(str(value) for value in data["state"].values()))

    def _show(self, kind: str, request: str, content: Mapping[str, Any]) -> None:
        display = str(content.get("transient", {}).get("display_id", ""))
        if kind != "update_display_data":
            output = Output(content["data"], content["metadata"], display)
            self._cells.setdefault(request, []).append(output)
            return
        for output in (one for outputs in self._cells.values() for one in outputs if one.display == display):
            output.data, output.metadata = content["data"], content["metadata"]

    # ------------------------------------------------------------------ what the user sees

    def html(self, request: str, *, is_alive: bool = True) -> str:
        """Return the HTML of a cell's outputs, with that of the widgets in them, without styles.

        Args:
            request: the id of its request.
            is_alive: whether the kernel is. Without it there are no views, and nothing hides static copies.
        """
        outputs = self._cells.get(request, [])
        views = [self._html_of(output.data) for output in outputs if is_alive and VIEW in output.data]
        hidden = _LIVE.findall("".join(views))
        others = [self._html_of(output.data) for output in outputs if VIEW not in output.data]
        shown = [html for html in others if not any(copy in html for copy in hidden)]
        return _NOT_SHOWN.sub("", "".join((*views, *shown)))

    def videos(self, request: str, *, is_alive: bool = True) -> tuple[int, int]:
        """Return the number of players in a cell's output that play the video, and of those that cannot.

        That of the service's link, in a card while a video is being saved, counts as neither.
        """
        sources = _VIDEO.findall(self.html(request, is_alive=is_alive))
        plays, links = (sum(one.startswith(scheme) for one in sources) for scheme in ("data:", "http"))
        return plays, len(sources) - plays - links

    def painted(self) -> str:
        """Return all that widgets have shown, one state after the other."""
        return "\n".join(self._history)

    def widgets(self, request: str) -> Iterator[str]:
        """Yield the ids of the widgets in a cell's output."""
        for output in self._cells.get(request, ()):
            if VIEW in output.data:
                yield from self._inside(output.data[VIEW]["model_id"])

    def scripts(self, request: str) -> tuple[int, int]:
        """Return the number of anywidget's widgets in a cell's output that load, and of those that do not."""
        loads = [0, 0]
        for output in self._cells.get(request, ()):
            if VIEW not in output.data:
                continue
            is_enabled = "custom_widget_manager" in output.metadata.get(VIEW, {}).get("colab", {})
            inside = self._inside(output.data[VIEW]["model_id"])
            found = sum(self.models[model].get("_model_module") == "anywidget" for model in inside)
            loads[0 if is_enabled else 1] += found
        return loads[0], loads[1]

    def button(self, request: str, description: str) -> str:
        """Return the id of a button in a cell's output, by its label."""
        (found,) = {
            model for model in self.widgets(request) if self.models[model].get("description") == description
        }
        return found

    def _html_of(self, data: Mapping[str, Any]) -> str:
        if VIEW in data:
            return "".join(self._widget_html(model) for model in self._inside(data[VIEW]["model_id"]))
        return str(data.get("text/html", data.get("text/plain", "")))

    def _widget_html(self, model: str) -> str:
        state = self.models[model]
        if "outputs" in state:
            return "".join(self._html_of(output.get("data", {})) for output in state["outputs"])
        is_html = state.get("_model_name") == "HTMLModel"
        return str(state.get("value", "")) if is_html else str(state.get("description", ""))

    def _inside(self, model: str) -> Iterator[str]:
        """Yield a widget and everything inside it; a widget that the page does not know has no view."""
        if model not in self.models:
            return
        yield model
        for child in self.models[model].get("children") or ():
            yield from self._inside(child.removeprefix(_REFERENCE))
