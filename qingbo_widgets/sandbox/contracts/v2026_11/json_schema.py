"""The parts of jsonschema that the contract needs, imported without a grammar that it does not.

For the format ``iri``, jsonschema imports rfc3987_syntax, which JupyterLab installs. That package compiles
its grammar when it is imported, which takes more than a second. Here it is imported at the first check of
that format instead, so that other users of jsonschema in the process notice no difference.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

__all__ = ["Draft202012Validator", "FormatChecker", "ValidationError", "extend"]

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def _grammar_at_first_use() -> Iterator[None]:
    """Let imports get, in the place of the grammar, a function that imports it when it is called."""
    if _GRAMMAR in sys.modules or find_spec(_GRAMMAR) is None:
        yield
        return

    def is_valid_syntax(rule: str, text: str) -> bool:
        from rfc3987_syntax import is_valid_syntax as check  # the package itself: ``late`` is gone by then

        return bool(check(rule, text))

    late = ModuleType(_GRAMMAR)
    late.is_valid_syntax = is_valid_syntax  # type: ignore[attr-defined]
    sys.modules[_GRAMMAR] = late
    try:
        yield
    finally:
        if sys.modules.get(_GRAMMAR) is late:
            del sys.modules[_GRAMMAR]


with _grammar_at_first_use():
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError
    from jsonschema.validators import extend
