"""A local stand-in for the service: ``with Sandbox() as sandbox: ...``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .callback import Callback
    from .faults import Faults
    from .gaps import Gaps
    from .server import Sandbox

__all__ = ["Callback", "Faults", "Gaps", "Sandbox"]

_MODULES = {"Callback": "callback", "Faults": "faults", "Gaps": "gaps", "Sandbox": "server"}


if not TYPE_CHECKING:  # with it, type checkers would accept any name

    def __getattr__(name: str) -> Any:
        # Imported on first use: the drawing processes start much faster without the server.
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        from ..i18n import tr

        try:
            module = import_module(f".{_MODULES[name]}", __name__)
        except ModuleNotFoundError as error:
            message = tr(
                'the sandbox needs {name}, which is not installed: pip install "qingbo_widgets[sandbox]"'
            )
            raise ImportError(message.format(name=error.name)) from error
        return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
