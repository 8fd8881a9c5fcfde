"""The error for parameters that do not exist, with the names that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from ...i18n import N_, sentences, tr
from ..secrets.known_keys import hide
from .models import declared
from .offered import current_models
from .schema import Models

__all__ = ["check_names"]

#: Least likeness of two names, from 0 to 1, for one to be a misspelling of the other.
_ALIKE = 0.75
_MEANT = N_("{call} has no parameter {name}; did you mean {near}?")
_NONE_MEANT = N_("{call} has no parameter {names}. It takes {known}.")


def check_names(
    call: str,
    names: Iterable[str],
    models: Callable[[], Models] = current_models,
    own: Iterable[str] = (),
) -> None:
    """Raise an error for names of parameters that no contract has.

    Args:
        call: the call that was given the names, such as ``generate()``.
        names: the names.
        models: returns the models of the contract in use, whose parameters are suggested first.
        own: the names of the call's other parameters.

    Raises:
        TypeError: some names do not exist.
    """
    known, own = declared(), tuple(own)
    unknown = sorted(name for name in names if name not in known and name not in own)
    if not unknown:
        return
    in_use = tuple(models().parameters)
    near = {name: _nearest(name, (*own, *in_use)) or _nearest(name, known) for name in unknown}
    texts = [tr(_MEANT).format(call=call, name=name, near=meant) for name, meant in near.items() if meant]
    if other := ", ".join(name for name, meant in near.items() if not meant):
        texts.append(tr(_NONE_MEANT).format(call=call, names=other, known=", ".join((*in_use, *own))))
    raise TypeError(hide(sentences(*texts)))


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like an unknown one; empty if none is."""
    written = name.casefold().replace("-", "_")
    return next(iter(difflib.get_close_matches(written, list(known), n=1, cutoff=_ALIKE)), "")
