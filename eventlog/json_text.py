"""JSON as it is taken here: RFC 8259, and nothing that would not come back as it went in."""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from typing import Any

from pydantic_core import from_json, to_json

from itemstore.eventlog.excerpts import quoted

DEEPEST = 200
"""Levels of lists and objects in an item. pydantic's parser has a limit just above it."""

MOST_DIGITS = 4300
"""Digits of an integer: what Python and pydantic's parser take."""


GLANCE_BYTES = 4096
"""The longest text that is looked at so: no integer in it has more than MOST_DIGITS."""


class MalformedJson(Exception):
    """The text is not JSON, or not JSON that is accepted here; `reason` says why."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"The {what} is not JSON: {reason}.")
        self.reason = reason


def check_json(text: bytes, *, what: str = "body", deepest: int = DEEPEST) -> Any:
    """The value that the JSON text stands for. `what` is the text's name in an error.

    Raises MalformedJson for what RFC 8259 does not allow, and for what would not come back as it
    went in, or not everywhere: an object with the same key twice, a number beyond a 64-bit float,
    an integer of too many digits, a lone surrogate, more than `deepest` levels of nesting.
    """
    try:
        characters = text.decode()
        value = _DECODER.decode(characters)
        if "\\u" in characters:  # only an escape can make a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError, ValueError) as error:
        reason = _reason(text, error, what, deepest)
    else:
        if len(characters) <= deepest or not (
            characters.count("[") + characters.count("{") > deepest and is_deeper(value, deepest)
        ):
            return value
        reason = _too_deep(deepest)
    raise MalformedJson(what, reason) from None


def comes_back_as_it_is(text: bytes) -> bool:
    """Whether this is JSON that pydantic's parser and writer give back to the byte.

    In such a text check_json finds nothing: a key that is there twice, say, would come back once.
    It takes a quarter of the time. False for what is merely written in another way.
    """
    return value_that_comes_back(text) is not None or text == b"null"


def value_that_comes_back(text: bytes) -> Any:
    """The value of JSON that comes back as it is; None for any other, and for `null`."""
    if not is_glanced_at(text):
        return None
    try:
        value = from_json(text, allow_inf_nan=False)
        return value if to_json(value) == text else None
    except ValueError:
        return None


def is_glanced_at(text: bytes) -> bool:
    """Whether what comes back as it is needs no other look: it is short, and not nested deep."""
    return len(text) <= GLANCE_BYTES and text.count(b"[") + text.count(b"{") <= DEEPEST


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in more than `levels`."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return bool(level)


def _reason(text: bytes, error: Exception, what: str, deepest: int) -> str:
    """What is wrong with the text, in words that are not Python's."""
    if not text.strip():
        return f"the {what} is empty"
    if text.startswith(BOM_UTF8):
        return "it begins with a byte order mark (RFC 8259 §8.1)"
    return _in_words(error, deepest)


def _in_words(error: Exception, deepest: int) -> str:
    match error:
        case _NotTaken():
            return str(error)
        case UnicodeEncodeError():
            return "a lone surrogate is not a character"
        case UnicodeDecodeError():
            return f"it is not UTF-8 at byte {error.start}"
        case RecursionError():
            return _too_deep(deepest)
        case json.JSONDecodeError():
            return f"{error.msg.removesuffix(' at')} (line {error.lineno}, column {error.colno})"
    return f"an integer has more than {MOST_DIGITS} digits"  # int() raises a bare ValueError


def _too_deep(deepest: int) -> str:
    return f"it is nested too deep, in more than {deepest} levels"


class _NotTaken(ValueError):
    """JSON, but none that this store accepts. The sentence says why."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                message = f"the key {quoted(name)} appears twice in one object"
                raise _NotTaken(message)
            seen.add(name)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        message = f"{text[:40]} is too large for a number"
        raise _NotTaken(message)
    return number


def _not_json(text: str) -> Any:
    message = f"{text} is not a JSON number"
    raise _NotTaken(message)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_not_json
)
