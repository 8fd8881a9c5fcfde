"""A stand-in for the service on this machine: `with Sandbox() as sandbox: ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .callback import Callback
    from .faults import Faults
    from .server import Sandbox

__all__ = ["Callback", "Faults", "Sandbox"]

_HOMES = {"Callback": "callback", "Faults": "faults", "Sandbox": "server"}


def __getattr__(name: str) -> Any:
    # Loaded on first use: the processes that draw need none of the server, and start much quicker without it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        home = import_module(f".{_HOMES[name]}", __name__)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'the sandbox needs {error.name}, which is not installed: pip install "qingbo_widgets[sandbox]"'
        ) from error
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
