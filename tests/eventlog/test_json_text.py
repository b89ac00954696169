"""The quick look at JSON holds what the thorough one does."""

from __future__ import annotations

import json
import random

import pytest
from pydantic_core import to_json

from itemstore.eventlog.json_text import (
    DEEPEST,
    GLANCE_BYTES,
    MalformedJson,
    check_json,
    comes_back_as_it_is,
)
from tests.near_json import RAW, document


@pytest.mark.parametrize("seed", range(300))
def test_what_comes_back_as_it_is_is_accepted_and_written_so(seed: int) -> None:
    """Of documents that are nearly right, in the two ways in which clients write JSON."""
    text = document(random.Random(seed))
    for each in (text, *_rewritten(text)):
        if comes_back_as_it_is(each):
            assert to_json(check_json(each)) == each


@pytest.mark.parametrize(
    "text",
    [
        *RAW, b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1,"a":1}', b'{"a":{"b":1,"b":1}}',
        b'{"a":"\\ud800"}', b'\xef\xbb\xbf{"a":1}', b'{"a":1e999}', b'{"a":"\xff"}',
        b'{"a":"\x01"}',
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
    ],
)  # fmt: skip
def test_what_is_refused_does_not_come_back(text: bytes) -> None:
    """As a whole text, and within an object."""
    for each in (text, b'{"x":%b}' % text):
        try:
            check_json(each)
        except MalformedJson:
            assert not comes_back_as_it_is(each)


def test_compact_json_comes_back() -> None:
    """What most clients send; other ways to write the same are looked at in full."""
    body = json.dumps({"a": [1, -2.5, None, True, "é😀", "\n"], "b": 2**80}, ensure_ascii=False)
    compact = body.replace(", ", ",").replace(": ", ":").encode()
    assert comes_back_as_it_is(compact)
    assert not comes_back_as_it_is(body.encode())
    assert not comes_back_as_it_is(compact.replace(b"-2.5", b"-2.50"))
    assert not comes_back_as_it_is(b'{"a":"%b"}' % (b"x" * GLANCE_BYTES))


def _rewritten(text: bytes) -> list[bytes]:
    try:
        value = json.loads(text)
        return [to_json(value), json.dumps(value).encode()]
    except (ValueError, RecursionError):
        return []
