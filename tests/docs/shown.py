"""Whether a terminal shows what a page says it shows.

Pages show real output: dates, positions and new ids are those of the day on which somebody typed
the commands. So such a value stands for any of its kind; where one occurs twice on a page, the
two that come must be equal as well, and where two differ, so must those. `…` stands for the rest
of a line; alone on a line, for any lines.
"""

from __future__ import annotations

import difflib
import re

_KINDS = {
    "request": r"\b[0-9a-f]{12}-[0-9a-f]+\b",
    "position": r"\b\d{13}-\d+\b",
    "uuid": r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "digest": r"\b[0-9a-f]{64}\b",
    "log": r"\b[0-9a-f]{16}\b",
    "date": r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "time": r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?",
    "day": r"\b\d{4}-\d\d-\d\d\b",
    "engine": r"\b(?:Valkey|Redis) \d[\d.]*",
    "bytes": r"(?<=_bytes)\s+\d+",
    "seconds": r"\b\d+\.\d+(?= ?s\b)",
    "rate": r"\b[\d,]+(?= events/s)",
    "rest": "…",
}
_VALUE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))

_OF_A_SLOW_MACHINE = re.compile(r"^Executing <.*> took \d+\.\d+ seconds\n", re.MULTILINE)
"""What asyncio's debug mode, which `unittest` turns on, says of a step of over a tenth second."""

_LASTING = ("position", "uuid", "log")
"""Kinds of which one value stays the same for the length of a page."""


class Transcript:
    """Compares what one page shows, from top to bottom, with what came."""

    def __init__(self) -> None:
        self._came_for: dict[str, str] = {}

    def matches(self, shown: str, came: str) -> bool:
        """Whether this is what the page shows; if so, its values are kept for what follows."""
        pattern, values = _pattern(shown.rstrip())
        found = re.fullmatch(pattern, _OF_A_SLOW_MACHINE.sub("", came).rstrip())
        if found is None:
            return False
        pairs = self._came_for | dict(zip(values, found.groups(), strict=True))
        known = all(self._came_for.get(value, came) == came for value, came in pairs.items())
        if not known or len(set(pairs.values())) < len(pairs):
            return False
        self._came_for = pairs
        return True

    def difference(self, shown: str, came: str) -> str:
        """The two beside each other, for the person who mends the page."""
        lines = difflib.ndiff(_named(shown.rstrip()), _named(came.rstrip()))
        return "\n".join(["", *lines, "", "It showed:", came])


def _pattern(shown: str) -> tuple[str, list[str]]:
    """An expression for what is shown, and the lasting values that its groups stand for."""
    lines = [_line(line) for line in shown.splitlines()]
    pattern = "\n".join("(?s:.*)" if line == ".*" else line for line, _ in lines)
    return pattern, [value for _, values in lines for value in values]


def _line(line: str) -> tuple[str, list[str]]:
    pieces: list[str] = []
    values: list[str] = []
    end = 0
    for value in _VALUE.finditer(line):
        kind = value.lastgroup or ""
        pieces.append(re.escape(line[end : value.start()]))
        pieces.append(_expression(kind))
        values += [value[0]] if kind in _LASTING else []
        end = value.end()
    pieces.append(re.escape(line[end:]))
    return "".join(pieces), values


def _expression(kind: str) -> str:
    if kind == "rest":
        return ".*"
    return f"({_KINDS[kind]})" if kind in _LASTING else _KINDS[kind]


def _named(text: str) -> list[str]:
    return _VALUE.sub(lambda value: f"<{value.lastgroup}>", text).splitlines()
