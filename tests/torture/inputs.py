"""Requests that are nearly right: each field is taken from the corpus, and some are damaged."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.near_json import document, patch
from tests.torture.corpus import (
    FITTING,
    HEADERS,
    IDS,
    JSON,
    METHODS,
    PATCHES,
    PATHS,
    QUERIES,
    SIGNS,
    VERSIONS,
)

DAMAGE = 0.12
"""How many of the fields are damaged."""

_NOT_IN_A_FIELD = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_A_PATH = re.compile(rb"[\x00-\x20?#\x7f]")
_NOT_IN_A_QUERY = re.compile(rb"[\x00-\x20#\x7f-\xff]")


@dataclass(frozen=True, slots=True)
class Input:
    """A request as bytes."""

    method: bytes
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def damaged(text: bytes, chance: random.Random) -> bytes:
    """The text with a few things wrong."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        at, until = sorted(chance.randint(0, len(text)) for _ in "12")
        match chance.randrange(6):
            case 0:
                text = text[:at] + chance.choice(SIGNS) + text[at:]
            case 1:
                text = text[:at] + text[until:]
            case 2:
                text = text[:at] + text[at:until] * 2 + text[until:]
            case 3:
                text = text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]
            case 4:
                text = text[:at] + chance.choice(SIGNS) + text[until:]
            case _:
                text = text[until:] + text[:at]
    return text[:200_000]


def made(chance: random.Random) -> Input:
    """An input: mostly valid in all fields but one or two."""

    def choice(values: list[bytes], damage: float = DAMAGE) -> bytes:
        text = chance.choice(values)
        return damaged(text, chance) if chance.random() < damage else text

    path = _path(choice, chance)
    fitting = [method for part, method in FITTING if part in path]
    method = choice(fitting if chance.random() > DAMAGE else METHODS, 0.02)
    names = chance.sample(list(QUERIES), chance.choice([0, 0, 0, 0, 1, 2, 3]))
    query = b"&".join(
        name + b"=" + choice(QUERIES[name], 0.0 if name == b"wait" else DAMAGE) for name in names
    )
    fields = chance.sample(list(HEADERS), chance.choice([0, 0, 0, 1, 1, 2, 4]))
    headers = [(name, choice(HEADERS[name])) for name in fields]
    if headers and chance.random() < DAMAGE:
        headers.append((fields[0], choice(HEADERS[fields[0]])))
    body = b""
    if method in {b"PUT", b"POST", b"PATCH"}:
        is_patch = method == b"PATCH" and chance.random() < 0.6
        body = choice(PATCHES if is_patch else JSON, 0.2)
        if b"content-type" not in fields:
            kind = b"json-patch+json" if is_patch else b"merge-patch+json"
            kind = b"application/" + (kind if method == b"PATCH" else b"json")
            headers.append((b"content-type", kind))
    return Input(method, path, query, headers, body)


def written(chance: random.Random) -> Input:
    """A write of an item or a part of it, right but for its body: that is only nearly JSON."""
    item = b"/items/" + chance.choice([b"a", b"b"])
    kind, path, method = b"json", item, b"PUT"
    match chance.randrange(8):
        case 0 | 1:
            body, kind, method = patch(chance), b"json-patch+json", b"PATCH"
        case 2:
            body, kind, method = document(chance), b"merge-patch+json", b"PATCH"
        case 3:
            body, path, method = document(chance), b"/items", b"POST"
        case 4:
            body, path, method = (
                b'{"version":%d}' % chance.randint(1, 9),
                item + b"/revert",
                b"POST",
            )
        case 5:
            body, path, method = b"", b"%s/versions/%d/diff" % (item, chance.randint(2, 9)), b"GET"
        case _:
            body = document(chance)
    return Input(method, path, b"", [(b"content-type", b"application/" + kind)], body)


def _path(choice: Callable[[list[bytes], float], bytes], chance: random.Random) -> bytes:
    path = chance.choice(PATHS)
    while b"%s" in path:
        is_version = b"versions/%s" in path and path.count(b"%s") == 1
        path = path.replace(b"%s", choice(VERSIONS if is_version else IDS, 0.03), 1)
    return damaged(path, chance) if chance.random() < 0.03 else path


def sendable(made: Input) -> Input:
    """The input without what no server hands on to an application."""
    return Input(
        made.method,
        _NOT_IN_A_PATH.sub(b"", made.path),
        _NOT_IN_A_QUERY.sub(b"", made.query),
        [(name, _NOT_IN_A_FIELD.sub(b"", value)) for name, value in made.headers],
        made.body,
    )
