"""Tests of masking: text that looks like a key is masked in every copied text, and nothing else is."""

from __future__ import annotations

import time

import pytest

from qingbo_widgets.service.contract.pasted import read_pasted, redacted
from qingbo_widgets.service.secrets.masking import MASK, is_secret_name, mask_in, without_secrets
from tests.service.keyed_texts import READABLE, UNREADABLE

#: A text with the prefix of a key, and one that only looks like a key.
KEYS = ("sk-masked-8d2f4b6a1c3e", "Zk91mmQpo2Lw7")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", READABLE)
def test_of_a_command_the_request_is_kept_and_the_key_is_not(name: str, key: str) -> None:
    """The key of a copied command is masked, also among the unknown fields, and the request is still read."""
    text = READABLE[name].replace("KEY", key)
    masked, pasted = redacted(text), read_pasted(text)
    assert key not in masked + repr(pasted)
    for read in (pasted, read_pasted(masked)):
        assert (read.request.model, read.request.prompt) == ("kling-v3", "A koi")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", UNREADABLE)
def test_of_any_other_text_the_key_is_taken_out(name: str, key: str) -> None:
    """The key is masked in unreadable text, which stays for the user to fix, and in messages about it."""
    text = UNREADABLE[name].replace("KEY", key)
    masked = redacted(text)
    assert key not in masked
    assert MASK in masked
    try:
        shown = repr(read_pasted(text).unknown)
    except ValueError as error:
        shown = str(error)
    assert key not in shown


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "the bearer"}',
        "curl -H 'Authorization: Bearer $KEY'",
        "requests.post(url, headers={'Authorization': f'Bearer {key}'})",
        "A token ring around a key",
        "kling-v1-6",
        '{"prompt": "A koi", "image_urls": "https://example.com/c1234567890123456789abcdef.png"',
        '{\n  "model": "kling-v1",\n  "prompt": "👩\u200d👧 in a pond"\n}',
        '{"prompt": "https://cdn.example.com/a.png?token=abcdef0123456789abcdef", "seed": 7, "author": "me"}',
    ],
)
def test_other_text_is_not_masked(text: str) -> None:
    """A text without a key is unchanged, including blanks."""
    assert redacted(text) == text


def test_the_fields_of_a_request_are_not_masked() -> None:
    """The signature in an image URL is not masked, because the image is needed."""
    signed = "https://cdn.example.com/koi.png?X-Amz-Signature=abcdef0123456789abcdef0123456789"
    assert read_pasted(f'{{"prompt": "A koi", "image_urls": "{signed}"}}').request.image_urls == (signed,)


@pytest.mark.parametrize(
    "name", ["Authorization", "X-API-Key", "api_key", "access_token", "Set-Cookie", "pass"]
)
def test_secret_names(name: str) -> None:
    """A name of a secret is recognised in every spelling."""
    assert is_secret_name(name)
    assert mask_in({name: {"a": 1}}) == {name: MASK}


@pytest.mark.parametrize("name", ["prompt", "author", "keyframes", "seed", "passes", "monkeys"])
def test_other_names(name: str) -> None:
    """Other names are not masked, so that no value is lost unnoticed."""
    assert not is_secret_name(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a",
        "-",
        "{",
        "key ",
        "auth",
        "锦鲤",
        " ",
        "key_",
        "-u ",
        "://",
        '("',
        "密钥",
        "Authorization:",
        "\\\n",
    ],
)
def test_a_page_of_anything_is_read_in_a_moment(text: str) -> None:
    """A page of any text is masked quickly, because the kernel is blocked meanwhile."""
    for beginning in ("", "bearer", "auth", "api_key"):
        begun = time.perf_counter()
        without_secrets(beginning + text * (100_000 // len(text)))
        assert time.perf_counter() - begun < 5
