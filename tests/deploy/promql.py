"""Which metrics an expression of PromQL asks for, and by which labels: enough of its grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SELECTOR = re.compile(r"\b((?:itemstore|process)_\w+|up)\b(?!:)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each series that it selects: the name, and what is asked of its labels."""
    for name, labels in _SELECTOR.findall(_without_recorded(expression)):
        yield name, dict(_LABEL.findall(labels))


def grouped_by(expression: str) -> set[str]:
    """The labels that it groups by."""
    found = {each.strip() for group in _GROUPED.findall(expression) for each in group.split(",")}
    return found - {""}


def _without_recorded(expression: str) -> str:
    """The expression without names of recording rules, which have colons."""
    return re.sub(r"\b\w+(?::\w+)+", "", expression)
