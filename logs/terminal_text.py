"""Text for a terminal: what it would obey or hide is written out."""

from __future__ import annotations

import json
import unicodedata

JOINERS = "\u200c\u200d"
"""Two signs without a shape that belong to words (Persian, Hindi) and to emoji."""

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of what a terminal obeys or hides: controls, directions, surrogates."""


def escaped(text: str) -> str:
    r"""The text with what is not seen written out as JSON would: `\u001b`, `\u202e`.

    A terminal obeys control characters, and bidirectional ones show a line in another order than
    it has. JSON with such an escape in it is still the same JSON.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(sign) for sign in text)


def escaped_lines(text: str) -> str:
    """Text of several lines, with what is not seen in each written out."""
    return "\n".join(escaped(line) for line in text.split("\n"))


def _shown(sign: str) -> str:
    if unicodedata.category(sign) not in UNSEEN or sign in JOINERS:
        return sign
    return "\\u007f" if sign == "\x7f" else json.dumps(sign)[1:-1]
