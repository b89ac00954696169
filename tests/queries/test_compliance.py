"""Filter expressions against the compliance suite of RFC 9535."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.evaluation import evaluator
from itemstore.projections.queries.where import Where

SUITE = Path(__file__).parents[3] / "shared" / "data" / "jsonpath-cts.json"


OF_ANOTHER_SHAPE = ("filter, multiple selectors", "filter, followed by child segment")
"""What the names of cases begin with that are more than one filter, and look so at both ends."""


def cases() -> list[dict[str, Any]]:
    """The cases whose selector is one filter of the document's members."""
    if not SUITE.exists():
        pytest.skip(f"{SUITE.name} is not beside this checkout")
    found: list[dict[str, Any]] = json.loads(SUITE.read_text())["tests"]
    return [
        case
        for case in found
        if case["selector"].startswith("$[?") and case["selector"].endswith("]")
    ]


def selected(where: Where, document: Any) -> list[Any]:
    """The members of a document of which the expression is true."""
    accepts = evaluator(where.test)
    members = document.values() if isinstance(document, dict) else document
    return [member for member in members if accepts(member, document)]


def test_each_filter_selects_what_the_suite_says() -> None:
    """Members are tried one by one, with the document as the root."""
    tried = 0
    for case in cases():
        if "document" not in case or case["name"].startswith(OF_ANOTHER_SHAPE):
            continue
        found = selected(Where.of(case["selector"][3:-1]), case["document"])
        results = case.get("results", [case.get("result")])
        assert json.dumps(found) in [json.dumps(each) for each in results], case["name"]
        tried += 1
    assert tried == 266


def test_what_is_no_filter_is_refused_at_a_place() -> None:
    """What is invalid, or a query of another shape; the place is in the text or at its end."""
    tried = 0
    for case in cases():
        if "document" in case and not case["name"].startswith(OF_ANOTHER_SHAPE):
            continue
        text = case["selector"][3:-1]
        with pytest.raises(InvalidQuery) as refused:
            Where.of(text)
        assert refused.value.parameter == "where"
        assert refused.value.place is not None, case["name"]
        assert 0 <= refused.value.place <= len(text), case["name"]
        tried += 1
    assert tried == 93 + 7
