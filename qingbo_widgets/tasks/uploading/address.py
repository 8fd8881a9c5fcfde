"""Addresses of storage: ``s3://bucket/prefix``."""

from __future__ import annotations

from dataclasses import dataclass

from ...i18n import N_, tr
from .stores import STORES

__all__ = ["Address", "refusal"]

_NO_ADDRESS = N_("The address of a storage is like s3://bucket/prefix, and begins with one of {schemes}.")
_LOGIN = N_(
    "The address of a storage must not contain credentials. They are taken from {credentials}. The address "
    "is not shown."
)
_NO_BUCKET = N_("The address of a storage names a bucket: {scheme}://bucket/prefix.")
_ODD = N_(
    "The address of a storage must not contain ?, #, parts that are empty, . or .., or blanks in the name of "
    "the bucket."
)


@dataclass(frozen=True)
class Address:
    """A checked address.

    Attributes:
        text: the address without a slash at its end.
        scheme: the part before ``://``.
    """

    text: str
    scheme: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the parts of an address that ``refusal`` accepts."""
        return cls(text.strip().rstrip("/"), text.strip().partition("://")[0])

    @property
    def bucket(self) -> str:
        """The name of the bucket, for Azure the container's."""
        return self._rest.partition("/")[0].partition("@")[0]

    def key(self, name: str) -> str:
        """Return the key of the object of a file in the bucket."""
        prefix = self._rest.partition("/")[2]
        return f"{prefix}/{name}" if prefix else name

    @property
    def _rest(self) -> str:
        return self.text.partition("://")[2]


def refusal(text: str) -> str | None:
    """Return why a text is no address of a storage, without showing it; ``None`` if it is one."""
    scheme, _, rest = text.strip().rstrip("/").partition("://")
    store = STORES.get(scheme)
    if store is None:
        return tr(_NO_ADDRESS).format(schemes=", ".join(f"{name}://" for name in STORES))
    bucket, *parts = rest.split("/")
    # abfs://container@account.dfs.core.windows.net names the account, and holds no login.
    if "@" in bucket and (scheme != "abfs" or ":" in bucket):
        return tr(_LOGIN).format(credentials=store.credentials)
    if not bucket:
        return tr(_NO_BUCKET).format(scheme=scheme)
    # HTTP libraries resolve dots in a URL, so a signed link would lead elsewhere.
    has_odd_part = any(part in ("", ".", "..") for part in (*parts, bucket))
    is_odd = has_odd_part or " " in bucket or any(character in rest for character in "?#")
    return tr(_ODD) if is_odd or not rest.isprintable() else None
