"""What can be an item's id: any UTF-8 text of 1 to 512 bytes that survives on its way in a URL."""

from __future__ import annotations

import re

LONGEST = 512
"""Bytes of UTF-8."""

PATTERN = r"^(?!\.{1,2}$)[^\u0000-\u001f\u007f-\u009f]+$"
"""The same for JSON Schema (ECMA-262), which counts no bytes."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_NEVER = {
    "": "It is empty.",
    ".": "Clients and proxies normalise . and .. away.",
    "..": "Clients and proxies normalise . and .. away.",
}


class InvalidItemId(Exception):
    """The text can't be an item's id. `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This can't be an item id. {reason}")
        self.reason = reason


def id_of(raw: bytes) -> str:
    """The id that these bytes are. Raises InvalidItemId."""
    text = _text_of(raw)
    if text in _NEVER:
        raise InvalidItemId(_NEVER[text])
    return text


def prefix_of(raw: bytes) -> str:
    """The text that these bytes are, if ids can begin with it. Raises InvalidItemId."""
    text = _text_of(raw)
    if not text:
        raise InvalidItemId(_NEVER[text])
    return text


def _text_of(raw: bytes) -> str:
    if len(raw) > LONGEST:
        raise InvalidItemId(f"It has {len(raw)} bytes; {LONGEST} are allowed.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidItemId("It is not UTF-8.") from None
    if _CONTROL.search(text):
        raise InvalidItemId("It has control characters.")
    return text
