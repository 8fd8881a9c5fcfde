"""The kinds of storage: what differs between them, in fsspec's options and in how links are signed."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ...i18n import N_, tr

__all__ = ["STORES", "CannotSign", "NoCredentials", "Store"]

#: Seconds after which a store that does not answer counts as unreachable, per attempt.
CONNECT_SECONDS, READ_SECONDS = 10, 30
#: Attempts of one request, by the library of the store.
ATTEMPTS = 3
#: The pieces of a large file, in bytes: the least that S3 takes, so that progress is shown often.
PIECE = 5 * 2**20
#: Pieces that are sent at the same time.
AT_ONCE = 2
#: Signature Version 4, of S3 and of Google, allows no more.
_SEVEN_DAYS = timedelta(days=7)
#: Where users get the right to sign a link.
_SIGNED_BY_ACCOUNT_KEY = N_("Links to abfs:// are signed with the account key: pass account_key=….")
_SIGNED_BY_SERVICE_ACCOUNT = N_(
    "Links to gs:// are signed with the key of a service account: pass token= with the path of its JSON file."
)
_OTHER_ENDPOINT = N_("For s3:// the address of the store is endpoint_url=, not endpoint=.")
_ENDPOINT_NEEDED = N_(
    "oss:// needs the endpoint of the bucket's region: pass endpoint=, such as "
    '"https://oss-cn-hangzhou.aliyuncs.com", or set OSS_ENDPOINT.'
)


class NoCredentials(Exception):
    """No credentials were passed to a store whose library looks for none itself."""


class CannotSign(Exception):
    """The credentials do not sign links; the text says which do."""


class Store:
    """One kind of storage.

    Attributes:
        package: the package with its fsspec file system.
        longest: the longest lifetime of a signed link; ``None`` without a limit.
        credentials: where the credentials come from, in code.
        rights: the rights that the credentials need.
    """

    package: ClassVar[str]
    longest: ClassVar[timedelta | None] = None
    credentials: ClassVar[str]
    rights: ClassVar[str]
    #: The option that names another endpoint.
    endpoint_option: ClassVar[str] = "endpoint_url"
    endpoint_variables: ClassVar[tuple[str, ...]] = ()

    def endpoint_of(self, options: Mapping[str, Any]) -> str:
        """Return the host of an endpoint that was chosen; empty for the usual one."""
        nested = options.get("client_kwargs")
        chosen = options.get(self.endpoint_option) or (
            nested.get(self.endpoint_option) if isinstance(nested, Mapping) else None
        )
        for name in self.endpoint_variables:
            chosen = chosen or os.environ.get(name)
        return urlsplit(str(chosen or "")).netloc.rpartition("@")[2]

    def lacks(self, given: Mapping[str, Any]) -> str | None:
        """Return what must be passed otherwise, a sentence; ``None`` if nothing."""

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the file system: those given, with defaults.

        Raises:
            NoCredentials: there are none, and the library looks for none itself.
        """
        # Without the caches: an instance is this storage's own, and other programs write to the store too.
        return {"use_listings_cache": False, "skip_instance_cache": True, **given}

    def prepare(self, files: Any) -> None:
        """Adjust a new file system where it has no option."""

    def sending(self, content_type: str) -> dict[str, Any]:
        """Return the options of ``put_file``."""
        raise NotImplementedError

    def facts(self, files: Any, path: str) -> tuple[int, str]:
        """Return the size of an object, and its MD5 in hexadecimal digits or another mark of its content.

        Raises:
            FileNotFoundError: there is none.
        """
        found = files.info(path)
        return found["size"], str(found.get("ETag") or "").strip('"')

    def sign(self, files: Any, path: str, seconds: int) -> str:
        """Return a signed link to an object."""
        return str(files.sign(path, expiration=seconds))

    def credentials_end(self, files: Any) -> datetime | None:
        """Return the time at which temporary credentials end, and with them their links, if it is known."""


class _S3(Store):
    package = "s3fs"
    longest = _SEVEN_DAYS
    credentials = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ~/.aws, qw.Storage(…, key=…, secret=…)"
    rights = "s3:PutObject, s3:GetObject (remove=True: s3:DeleteObject)"
    endpoint_variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")

    def lacks(self, given: Mapping[str, Any]) -> str | None:
        return tr(_OTHER_ENDPOINT) if "endpoint" in given else None

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        config = {
            "signature_version": "s3v4",  # by default, botocore signs some links with version 2
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"total_max_attempts": 1},  # s3fs tries again itself
            # Compatible stores refuse the checksums that newer versions add to each request.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            **(given.get("config_kwargs") or {}),
        }
        defaults = {
            "cache_regions": not self.endpoint_of(given),  # a link must be signed for the bucket's region
            "fixed_upload_size": True,  # R2 needs it
            "max_concurrency": AT_ONCE,
        }
        return super().options({**defaults, **given, "config_kwargs": config})

    def prepare(self, files: Any) -> None:
        files.retries = ATTEMPTS
        logging.getLogger("botocore.auth").addFilter(_has_no_signature)

    def sending(self, content_type: str) -> dict[str, Any]:
        return {"chunksize": PIECE, "ContentType": content_type}

    def facts(self, files: Any, path: str) -> tuple[int, str]:
        bucket, key, _ = files.split_path(path)
        found = files.call_s3(
            "head_object", Bucket=bucket, Key=key
        )  # info() lists the folder of a missing object
        return found["ContentLength"], found["ETag"].strip('"')

    def credentials_end(self, files: Any) -> datetime | None:
        if files.key is not None or files.session is None:
            return None
        from fsspec.asyn import sync

        held = sync(files.loop, files.session.get_credentials)
        return getattr(held, "_expiry_time", None)  # botocore has no public name for it


def _has_no_signature(record: logging.LogRecord) -> bool:
    """Return whether a line of a debug log may be written: a signature makes a link."""
    return not str(record.msg).startswith("Signature:")


class _Oss(Store):
    package = "ossfs"
    credentials = "qw.Storage(…, key=…, secret=…, endpoint=…)"
    rights = "oss:PutObject, oss:GetObject (remove=True: oss:DeleteObject)"
    endpoint_option = "endpoint"
    endpoint_variables = ("OSS_ENDPOINT",)

    def lacks(self, given: Mapping[str, Any]) -> str | None:
        return None if self.endpoint_of(given) else tr(_ENDPOINT_NEEDED)

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if not given.get("key"):
            raise NoCredentials
        return super().options(given)

    def sending(self, content_type: str) -> dict[str, Any]:
        return {"headers": {"Content-Type": content_type}, "connect_timeout": READ_SECONDS}

    def facts(self, files: Any, path: str) -> tuple[int, str]:
        import oss2

        bucket, key = self._object(files, path)
        try:
            found = bucket.head_object(key)  # info() of ossfs lists the whole folder
        except oss2.exceptions.NotFound:
            raise FileNotFoundError(key) from None
        return found.content_length, found.etag.lower()

    def sign(self, files: Any, path: str, seconds: int) -> str:
        bucket, key = self._object(files, path)  # ossfs has no sign()
        return str(bucket.sign_url("GET", key, seconds, slash_safe=True))

    @staticmethod
    def _object(files: Any, path: str) -> tuple[Any, str]:
        name, key = files.split_path(path)
        return files._get_bucket(name, READ_SECONDS), key


class _Gcs(Store):
    package = "gcsfs"
    longest = _SEVEN_DAYS
    credentials = "GOOGLE_APPLICATION_CREDENTIALS, qw.Storage(…, token=…)"
    rights = "storage.objects.create, storage.objects.get (remove=True: storage.objects.delete)"

    def sending(self, content_type: str) -> dict[str, Any]:
        return {"chunksize": PIECE, "content_type": content_type}

    def sign(self, files: Any, path: str, seconds: int) -> str:
        try:
            return str(files.sign(path, expiration=seconds, version="v4"))
        except AttributeError as error:  # what Google's library raises for credentials without a private key
            if "private key" not in str(error):
                raise
        raise CannotSign(tr(_SIGNED_BY_SERVICE_ACCOUNT))


class _Azure(Store):
    package = "adlfs"
    credentials = "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_CONNECTION_STRING"
    rights = "Storage Blob Data Contributor"
    endpoint_option = "account_host"

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        limits = {"connection_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        return super().options({**limits, **given})

    def sending(self, content_type: str) -> dict[str, Any]:
        return {"content_settings": {"content_type": content_type}}

    def sign(self, files: Any, path: str, seconds: int) -> str:
        if not (files.account_key or files.connection_string):
            raise CannotSign(tr(_SIGNED_BY_ACCOUNT_KEY))
        return super().sign(files, path, seconds)


#: By the scheme of the address.
STORES: Mapping[str, Store] = {"s3": _S3(), "oss": _Oss(), "gs": _Gcs(), "abfs": _Azure()}
