"""Filter expressions against the compliance suite of RFC 9535."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.evaluation import evaluator
from itemstore.projections.queries.where import Where
from tests.queries.compliance import filters, no_filters


def texts(values: Iterable[Any]) -> list[str]:
    """Values without an order; true is not 1 among them."""
    return sorted(json.dumps(value) for value in values)


def test_each_filter_selects_what_the_suite_says() -> None:
    """Members are tried one by one, with the document as the root."""
    cases = filters()
    assert len(cases) == 266
    for case in cases:
        accepts = evaluator(Where.of(case.text).test)
        found = [each for each in case.members if accepts(each, case.document)]
        assert texts(found) == texts(case.selected), case.name


def test_of_items_the_same_is_selected() -> None:
    """Where each member is an item by itself, and so its own root."""
    cases = [case for case in filters() if case.is_of_items]
    assert len(cases) > 150
    for case in cases:
        where = Where.of(case.text)
        found = [each for each in case.members if where.matches(each)]
        assert texts(found) == texts(case.selected), case.name


def test_what_is_no_filter_is_refused_at_a_place() -> None:
    """What is invalid, or a query of another shape; the place is in the text or at its end."""
    refusable = no_filters()
    assert len(refusable) == 93 + 7
    for text in refusable:
        with pytest.raises(InvalidQuery) as refused:
            Where.of(text)
        assert refused.value.parameter == "where"
        assert refused.value.place is not None
        assert 0 <= refused.value.place <= len(text)
