"""The filters of the compliance suite of RFC 9535, and what they select."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SUITE = Path(__file__).parents[3] / "shared" / "data" / "jsonpath-cts.json"

OF_ANOTHER_SHAPE = ("filter, multiple selectors", "filter, followed by child segment")
"""What the names of cases begin with that are more than one filter, and look so at both ends."""

AS_MEMBERS = "filter, absolute existence, with segments"
"""The case whose root is the document: with each member as the root it would select others."""


@dataclass(frozen=True, slots=True)
class Case:
    """A filter of the members of a document, and which of them it selects.

    Where the document is an object they have no order, and `selected` may be any one.
    """

    name: str
    text: str
    document: Any
    selected: Sequence[Any]

    @property
    def members(self) -> Sequence[Any]:
        """What it is tried on."""
        return list(self.document.values() if isinstance(self.document, dict) else self.document)

    @property
    def is_of_items(self) -> bool:
        """Whether each member could be an item's body, and the filter selects the same then."""
        return self.name != AS_MEMBERS and all(isinstance(each, dict) for each in self.members)


def filters() -> Sequence[Case]:
    """Those that select something of a document, or nothing."""
    return [
        Case(each["name"], _text(each), each["document"], _selected(each))
        for each in _cases()
        if not _is_refused(each)
    ]


def no_filters() -> Sequence[str]:
    """What stands between `$[?` and `]` in cases that are invalid, or no single filter."""
    return [_text(each) for each in _cases() if _is_refused(each)]


def _cases() -> Sequence[Any]:
    if not SUITE.exists():
        pytest.skip(f"{SUITE.name} is not beside this checkout")
    cases = json.loads(SUITE.read_text())["tests"]
    return [each for each in cases if each["selector"][:3] == "$[?" and each["selector"][-1] == "]"]


def _is_refused(case: Any) -> bool:
    return "document" not in case or case["name"].startswith(OF_ANOTHER_SHAPE)


def _text(case: Any) -> str:
    text: str = case["selector"][3:-1]
    return text


def _selected(case: Any) -> Sequence[Any]:
    selected: Sequence[Any] = case["result"] if "result" in case else case["results"][0]
    return selected
