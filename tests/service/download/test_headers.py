"""Tests of the headers that describe which bytes of a file an answer holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from qingbo_widgets.service.download.headers import (
    ContentRange,
    content_length,
    content_range,
    encoding_of,
    is_expected_range,
)


@dataclass
class Part:
    """A part of 50 bytes of a file of 100."""

    overlap: int = 40
    total: int | None = 100
    validator: str | None = '"1"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 0-99/100", ContentRange(0, 100, 100)),
        ("bytes 40-99/*", ContentRange(40, 100, None)),
        ("Bytes  40-49/100 ", ContentRange(40, 50, 100)),
        ("", None),
        ("bytes */100", None),
        ("bytes 50-40/100", None),
        ("bytes 0-100/100", None),
        ("items 0-99/100", None),
        ("bytes 0-99", None),
        ("bytes ４0-99/100", None),
        (f"bytes 0-{'9' * 50}/*", None),
    ],
)
def test_the_range_of_an_answer(text: str, expected: ContentRange | None) -> None:
    """A range is read if it is one; anything else says nothing."""
    assert content_range({"Content-Range": text}) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("5", 5), ("", None), ("-5", None), ("1e3", None), ("５", None), ("9" * 50, None)]
)
def test_the_length_of_an_answer(text: str, expected: int | None) -> None:
    """A length is read if it is a number that a file can have."""
    assert content_length({"Content-Length": text}) == expected


@pytest.mark.parametrize(
    ("headers", "is_expected"),
    [
        ({"Content-Range": "bytes 40-99/100", "ETag": '"1"'}, True),
        ({"Content-Range": "bytes 40-59/100", "ETag": '"1"'}, True),
        ({"Content-Range": "bytes 40-99/*", "ETag": '"1"'}, True),
        ({"Content-Range": "bytes 40-99/100", "ETag": '"1"', "Content-Encoding": "aws-chunked"}, True),
        ({"Content-Range": "bytes 40-99/100", "ETag": '"1"', "Content-Encoding": "gzip"}, False),
        ({"Content-Range": "bytes 40-99/100", "ETag": '"2"'}, False),
        ({"Content-Range": "bytes 40-99/100"}, False),
        ({"Content-Range": "bytes 0-99/100", "ETag": '"1"'}, False),
        ({"Content-Range": "bytes 40-100/101", "ETag": '"1"'}, False),
        ({"ETag": '"1"'}, False),
    ],
)
def test_the_range_that_continues_a_part(headers: dict[str, str], is_expected: bool) -> None:
    """Only the bytes that were requested, of the same file, continue a part."""
    assert is_expected_range(headers, Part()) is is_expected


@pytest.mark.parametrize(
    ("text", "is_expected"), [("", True), ("bytes 0-99/100", True), ("bytes 1-99/100", False)]
)
def test_a_range_that_was_not_requested(text: str, is_expected: bool) -> None:
    """A range that was not requested is usable if it begins where the file begins."""
    assert is_expected_range({"Content-Range": text}, None) is is_expected


def test_the_name_of_an_encoding() -> None:
    """The name of the compression is compared in lower case."""
    assert encoding_of({"Content-Encoding": " GZIP "}) == "gzip"
    assert encoding_of({}) == ""
