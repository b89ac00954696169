"""Batches that are nearly right: requests whose parts are from the corpus, some of them damaged."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from tests.near_json import document, patch
from tests.torture.corpus import DATES, IDS, JSON, PATCHES, TAGS
from tests.torture.inputs import Input, damaged

WRONG, DAMAGED = 0.05, 0.1
"""How many of the members are what they can't be, and how many batches are damaged as a whole."""

COUNTS = [1, 1, 2, 2, 3, 3, 5, 8, 20, 0, 128, 129]
"""Requests of a batch."""

KINDS = {"PUT": 10, "PATCH": 5, "POST": 3, "DELETE": 2, "HEAD": 3}

WRONG_VALUES: list[Any] = [None, 1, "", [], {}, "GET", "put", True, ["PUT"], {"a": 1}, "x" * 3000,
                           "/", "//", "/items", "/batch", "/items/a/events", "/items/a?b",
                           "http://a/items/a", "\ud800", "/items/\x00", 10**400]  # fmt: skip

HEADERS = {"if-match": TAGS, "If-None-Match": TAGS, "if-unmodified-since": DATES,
           "prefer": [b"return=minimal", b"x"], "content-type": [b"application/json", b"a/b"],
           "x": [b"1"], "authorization": [b"Bearer x"], "idempotency-key": [b"k"]}  # fmt: skip


def batch_of(chance: random.Random, collections: Sequence[str]) -> Input:
    """`POST /batch`, with a few items of these collections in it."""
    count = chance.choice(COUNTS)
    requests = b",".join(_request(chance, collections) for _ in range(count))
    body = b'{"requests":[%b]}' % requests
    if chance.random() < WRONG:
        body = chance.choice([requests, b"[%b]" % requests, b'{"requests":%b}' % requests,
                              b'{"requests":[%b],"a":1}' % requests, *JSON])  # fmt: skip
    body = damaged(body, chance) if chance.random() < DAMAGED else body
    headers = [(b"content-type", b"application/json")]
    if chance.random() < 0.1:
        headers.append((b"idempotency-key", chance.choice([b"b1", b"b2", b"b3"])))
    if chance.random() < 0.1:
        headers.append((b"prefer", b"return=minimal"))
    return Input(b"POST", b"/batch", b"", headers, body)


def _request(chance: random.Random, collections: Sequence[str]) -> bytes:
    [method] = chance.choices(list(KINDS), list(KINDS.values()))
    item = chance.choice([*["a", "b"] * 20, *(name.decode("latin-1") for name in IDS)])
    path = f"/{chance.choice(collections)}" + ("" if method == "POST" else f"/{item}")
    members: dict[str, Any] = {"method": method, "path": path}
    headers = {"if-match": "*"} if method == "HEAD" else {}
    if chance.random() < 0.1:
        name = chance.choice([*HEADERS])
        headers[name] = chance.choice(HEADERS[name]).decode("latin-1")
    if headers:
        members["headers"] = headers
    if chance.random() < WRONG:
        members[chance.choice([*members, "body", "a"])] = chance.choice(WRONG_VALUES)
    if chance.random() < WRONG / 2:
        del members[chance.choice([*members])]
    text = json.dumps(members).encode()
    if method not in {"PUT", "PATCH", "POST"}:
        return text
    return b'%b%b"body":%b}' % (text[:-1], b"," if members else b"", _body(chance, method))


def _body(chance: random.Random, method: str) -> bytes:
    """Mostly one that is taken, so that a whole batch is sometimes."""
    if chance.random() < 0.8:
        return b'{"size":%d}' % chance.randrange(100)
    if method == "PATCH":
        return patch(chance) if chance.random() < 0.5 else chance.choice(PATCHES)
    return document(chance) if chance.random() < 0.5 else chance.choice(JSON)
