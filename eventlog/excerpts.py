"""How a problem's detail shows what a client sent: short, and on one line."""

from __future__ import annotations

SHOWN = 60
"""Characters of a value that are shown."""

LONGEST = 512
"""Characters of an id that are shown: all of it, as it is in the URL too."""

SAID = 300
"""Characters of a sentence that somebody else wrote: pydantic, an operator's validator."""


def quoted(text: str, most: int = SHOWN) -> str:
    """The text in quotes, or its start, with escapes for what can't be printed."""
    return f"'{_printable(_cut(text, most))}'"


def around(text: str, place: int) -> str:
    """The text in quotes, or the part of it around a place, with an arrow in front of the place.

    At the end of the text there is nothing for an arrow to point to.
    """
    start = max(0, place - SHOWN // 2)
    before, after = text[start:place], text[place : start + SHOWN]
    before = f"{'…' if start else ''}{_printable(before)}"
    after = f"{_printable(after)}{'…' if start + SHOWN < len(text) else ''}"
    return f"'{before}{'→' if after else ''}{after}'"


def sentence(text: str) -> str:
    """A sentence from elsewhere on one line, or its start, without the stop at its end."""
    return _printable(_cut(" ".join(text.split()), SAID)).removesuffix(".")


def shown(text: str) -> str:
    """The text without quotes, or its start: a name that stands for itself."""
    return _printable(_cut(text, SHOWN))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
