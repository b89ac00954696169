"""JSON documents and patches that are nearly right, made by chance."""

from __future__ import annotations

import json
import random
from typing import Any

NAMES = ["a", "b", "c", "d", "e", "f", "g", "kind", "label", "name", "size", "", "~", "/", "1"]

SCALARS: list[Any] = [
    None, True, False, 0, 1, -1, 1.5, -0.0, 1e308, 5e-324, 2**53 + 1, 10**400, "", "a", "cat",
    "dog", "NaN", "inf", "-Infinity", "1e999", "2026-11-23", "2026-11-23T08:09:06Z", "P1D", "r", 2,
    "/w==", "é😀", "\x00", "\u202e", "x" * 3000, "0195d2c4-7d8a-7abc-8def-0123456789ab", "1", "01",
    "**********", 10**15, -(10**30), "9" * 5000,
]  # fmt: skip

RAW = [
    b'"\\ud800"', b"NaN", b"-Infinity", b"1e999", b"9" * 4300, b"9" * 4301, b"1." + b"9" * 5000,
    b'{"a":1,"a":2}', b"[" * 199 + b"]" * 199, b"[" * 300 + b"]" * 300, b'{"a":' * 990 + b"1"
    + b"}" * 990, b'"\xff"', b"01", b"", b"{", b'{"a":' * 99 + b"1" + b"}" * 99,
]  # fmt: skip
"""Texts in place of a value."""

PLACE = "here stands a raw text"

PARTS = ["a", "b", "c", "d", "", "0", "1", "-", "00", "-1", "~0", "~1", "~", "9" * 30, "kind"]

OPS = ["add", "replace", "remove", "move", "copy", "test", "spam"]


def value(chance: random.Random, levels: int = 3) -> Any:
    """A JSON value; sometimes PLACE, where no value could be."""
    if levels == 0 or chance.random() < 0.4:
        return PLACE if chance.random() < 0.03 else chance.choice(SCALARS)
    if chance.random() < 0.35:
        return [value(chance, levels - 1) for _ in range(chance.randint(0, 4))]
    return _members(chance, levels - 1)


def document(chance: random.Random) -> bytes:
    """The text of an object, mostly."""
    return _text(_members(chance, 2) if chance.random() < 0.9 else value(chance), chance)


def patch(chance: random.Random) -> bytes:
    """The text of a JSON Patch, mostly."""
    operations = [_operation(chance) for _ in range(chance.choice([0, 1, 1, 2, 3, 8]))]
    return _text(operations if chance.random() < 0.97 else value(chance), chance)


def _members(chance: random.Random, levels: int) -> dict[str, Any]:
    names = chance.sample(NAMES, chance.choice([0, 1, 1, 2, 3, 5]))
    return {name: value(chance, levels) for name in names}


def _operation(chance: random.Random) -> Any:
    if chance.random() < 0.02:
        return value(chance, 1)
    operation = {
        "op": chance.choice(OPS[:6] * 4 + OPS),
        "path": _pointer(chance),
        "from": _pointer(chance),
        "value": value(chance, 2),
    }
    if chance.random() < 0.03:
        operation[chance.choice([*operation])] = value(chance, 1)
    if chance.random() < 0.03:
        del operation[chance.choice([*operation])]
    return operation


def _pointer(chance: random.Random) -> str:
    parts = [chance.choice(PARTS) for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3]))]
    return "".join(f"/{part}" for part in parts)


def _text(whole: Any, chance: random.Random) -> bytes:
    text = json.dumps(whole, ensure_ascii=chance.random() < 0.5).encode()
    while (place := json.dumps(PLACE).encode()) in text:
        text = text.replace(place, chance.choice(RAW), 1)
    return text
