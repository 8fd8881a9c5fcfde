"""Lookup of the API key (without ever showing it), of the service's address and of its contract."""

from __future__ import annotations

import os

from ..exceptions import InvalidRequest, MissingApiKey
from ..i18n import N_, tr
from .contract.contracts import CONTRACTS, Contract
from .contract.models import DEFAULT_CONTRACT, dated
from .contract.problem import Problem, listed, refused
from .contract.terms import KEYS_PAGE, contract_at
from .contract.urls import base_url_refusal, without_query
from .secrets.key_ring import is_silent, key_in_keyring
from .secrets.known_keys import API_KEY_VARIABLES, remember
from .secrets.secret import FIELD, KEYRING, Secret, as_secret

__all__ = [
    "API_KEY_VARIABLES",
    "BASE_URL_VARIABLE",
    "CONTRACT_VARIABLE",
    "base_url_problem",
    "find_api_key",
    "find_base_url",
    "find_contract",
    "key_source",
]

BASE_URL_VARIABLE = "QINGBO_BASE_URL"
CONTRACT_VARIABLE = "QINGBO_CONTRACT"
_WAYS = N_(
    "Enter a key in qw.VideoStudio(), or set QINGBO_API_KEY and start Jupyter again (keys: {page}). Free, "
    "without a key: qw.connect(sandbox=True)."
)
_NO_ANSWER = N_(
    "No API key was found: the keyring does not answer, and may be locked. Unlock it and connect again. "
    "{ways}"
)
_MALFORMED = N_("{it} contains a blank, a control character or a non-ASCII character. Copy it again. {ways}")


def find_api_key(explicit: str | Secret | None = None) -> Secret:
    """Return the API key: the argument, the environment or the keyring (if ``keyring`` is installed).

    A keyring that waits to be unlocked delays this for 3 seconds, once.

    Args:
        explicit: the key itself; a blank one counts as missing.

    Raises:
        MissingApiKey: there is no key, or the first one found is malformed. The message lists the ways to set
            a key and never shows the value found.
        TypeError: ``explicit`` is not a string.
    """
    explicit = as_secret(explicit)
    key = explicit or Secret("")
    if not key.is_text:
        raise TypeError(tr("api_key must be a str; the given value is not one, and is not shown"))
    for variable in API_KEY_VARIABLES:
        key = key or Secret(os.environ.get(variable, ""), variable)
    key, ways = key or key_in_keyring(), tr(_WAYS).format(page=KEYS_PAGE)
    if not key:
        text = tr(_NO_ANSWER) if is_silent() else tr("No API key was found. {ways}")
        raise MissingApiKey(text.format(ways=ways))
    if not key.fits_a_header:
        names = {"": tr("The API key passed in code"), KEYRING: tr("The API key in the keyring")}
        names[FIELD] = names[""]
        in_variable = tr("The API key in {variable}").format(variable=key.source)
        raise MissingApiKey(tr(_MALFORMED).format(it=names.get(key.source, in_variable), ways=ways))
    return remember(key)


def key_source(key: Secret) -> str:
    """Return where a key was found, as a sentence without the key."""
    if key.source == KEYRING:
        return tr("The current key is in the system's keyring.")
    if key.source == FIELD:
        return tr("The current key was typed into a field. This kernel forgets it when it ends.")
    if not key.source:
        return tr("The current key was passed in code.")
    text = tr("The current key is in the environment variable {variable}.")
    return text.format(variable=key.source)


def find_contract(explicit: str | None = None, base_url: str | None = None) -> Contract:
    """Return the contract to speak: the argument, ``QINGBO_CONTRACT``, the address's, or 2026-04.

    Args:
        explicit: the contract's date.
        base_url: the address, whose host may imply the contract; ``None`` for ``QINGBO_BASE_URL``.

    Raises:
        InvalidRequest: there is no contract with that date. The message shows a date only, because a key may
            have been given in its place.
    """
    explicit = dated(explicit)
    name = explicit or dated(os.environ.get(CONTRACT_VARIABLE, "").strip())
    if not name:
        address = os.environ.get(BASE_URL_VARIABLE, "").strip() if base_url is None else base_url
        name = contract_at(address) or DEFAULT_CONTRACT
    if name in CONTRACTS:
        return CONTRACTS[name]
    limit = tr("is not a contract of the service ({dates})").format(dates=listed(CONTRACTS))
    where = "" if explicit else CONTRACT_VARIABLE
    raise InvalidRequest((refused("contract", name, limit, DEFAULT_CONTRACT, where),))


def find_base_url(contract: Contract | None = None) -> str:
    """Return the default address of the service: ``QINGBO_BASE_URL``, or the address in the contract.

    The variable decides even if it names a host of another contract: the key of its owner must not go to
    another host than the one that was set for it.
    """
    return os.environ.get(BASE_URL_VARIABLE, "").strip() or (contract or find_contract()).base_url


def base_url_problem(base_url: Secret) -> Problem | None:
    """Return the reason not to send the key to this address; ``None`` if it may be sent.

    The message shows the address only if it is a URL, and without its secrets.
    """
    url = base_url.reveal()
    reason = base_url_refusal(url)
    if reason is None:
        return None
    shown = without_query(url) if "://" in url else tr("the given value")
    message = tr("base_url: {url} {reason}; try https://….").format(url=shown, reason=reason)
    return Problem("base_url", message)
