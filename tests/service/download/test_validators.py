"""Tests of validators: headers that prove that a file is unchanged, and headers that do not."""

from __future__ import annotations

import pytest
from requests.structures import CaseInsensitiveDict

from qingbo_widgets.service.download.validators import matches_validator, strong_validator

DATE = "Wed, 01 Apr 2026 00:00:10 GMT"
EARLIER = "Wed, 01 Apr 2026 00:00:09 GMT"
OTHER = "Wed, 01 Apr 2026 00:00:08 GMT"


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"1"'}, '"1"'),
        ({"ETag": '"1"', "Last-Modified": EARLIER}, '"1"'),
        ({"ETag": 'W/"1"'}, None),
        ({"ETag": '""'}, None),
        ({"ETag": "1"}, None),
        ({"ETag": 'W/"1"', "Last-Modified": EARLIER, "Date": DATE}, EARLIER),
        ({"Last-Modified": EARLIER, "Date": DATE}, EARLIER),
        ({"Last-Modified": DATE, "Date": DATE}, None),
        ({"Last-Modified": EARLIER}, EARLIER),
        ({"Last-Modified": "yesterday", "Date": DATE}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_strong_validator(headers: dict[str, str], validator: str | None) -> None:
    """A validator is a strong tag, or a date at least one second older than the answer."""
    assert strong_validator(CaseInsensitiveDict(headers)) == validator


@pytest.mark.parametrize(
    ("headers", "validator", "proven"),
    [
        ({"ETag": '"1"'}, '"1"', True),
        ({"ETag": '"2"'}, '"1"', False),
        ({"ETag": 'W/"1"'}, '"1"', False),
        ({"Last-Modified": EARLIER}, '"1"', False),
        ({"Last-Modified": EARLIER}, EARLIER, True),
        ({"Last-Modified": OTHER}, EARLIER, False),
        ({"ETag": '"1"'}, EARLIER, False),
        ({}, '"1"', False),
        ({}, None, False),
    ],
    ids=str,
)
def test_a_proof(headers: dict[str, str], validator: str | None, proven: bool) -> None:
    """Only a matching header in the answer is a proof, because many servers ignore ``If-Range``."""
    assert matches_validator(CaseInsensitiveDict(headers), validator) is proven
