"""How a problem quotes what a client sent: short, and on one line."""

from __future__ import annotations

MOST_QUOTED = 60
"""Characters. An id is quoted in full, as it is in the URL as well; nothing else has to be."""

MOST_SAID = 300
"""Characters of a sentence that somebody else wrote: pydantic, an operator's validator."""


def quoted(text: str, most: int = MOST_QUOTED) -> str:
    """The text in quotes, cut where it is long, with escapes for what can't be printed."""
    return f"'{_printable(_cut(text, most))}'"


def sentence(text: str) -> str:
    """A sentence from elsewhere on one line, cut where it is long, without the stop at its end."""
    return _printable(_cut(" ".join(text.split()), MOST_SAID)).removesuffix(".")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
