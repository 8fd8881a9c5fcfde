from typing import Any

from traitlets import HasTraits

__all__ = [
    "Button",
    "Checkbox",
    "Dropdown",
    "GridBox",
    "HBox",
    "Password",
    "Selection",
    "Text",
    "Textarea",
    "ToggleButtons",
    "VBox",
    "Widget",
]

class Widget(HasTraits):
    comm: Any
    model_id: str
    description: Any
    tooltip: Any
    layout: Any
    style: Any
    value: Any
    disabled: Any
    def __init__(self, *arguments: Any, **traits: Any) -> None: ...
    def close(self) -> None: ...
    def add_class(self, name: str) -> Any: ...
    def open(self) -> None: ...
    def send(self, content: Any, buffers: Any = None) -> None: ...
    def remove_class(self, name: str) -> Any: ...
    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]: ...
    def set_state(self, sync_data: dict[str, Any]) -> None: ...
    def send_state(self, key: Any = None) -> None: ...
    def _handle_msg(self, message: dict[str, Any]) -> None: ...

class _Box(Widget):
    children: Any

class VBox(_Box): ...
class HBox(_Box): ...
class GridBox(_Box): ...

class Button(Widget):
    def on_click(self, callback: Any) -> None: ...

class Checkbox(Widget): ...

class Selection(Widget):
    index: Any
    options: Any

class Dropdown(Selection): ...
class ToggleButtons(Selection): ...

class _TextField(Widget):
    placeholder: Any
    continuous_update: Any

class Password(_TextField): ...
class Text(_TextField): ...

class Textarea(_TextField):
    rows: Any
