"""Orders: how they are written, and by what they sort."""

from __future__ import annotations

import pytest
from hypothesis import given

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.order import Order
from itemstore.projections.queries.sort_keys import sort_key
from tests.queries.expressions import PATH_TEXTS


def test_an_order_is_paths_with_directions() -> None:
    """A dash before a path is descending, one inside of a name is part of it."""
    order = Order.of("-price_cents, first-name,-@.address['a,b'][0]")
    assert [(str(by.path), by.descending) for by in order.by] == [
        ("price_cents", True),
        ("first-name", False),
        ("@.address['a,b'][0]", True),
    ]


def test_the_keys_of_a_body_are_those_of_its_values() -> None:
    """None stands for a value that it does not have; null is one that it has."""
    order = Order.of("a,@.b.c,d")
    assert order.keys({"a": 1, "b": {}, "d": None}) == (sort_key(1), None, sort_key(None))


@pytest.mark.parametrize(
    ("text", "place"),
    [("", 0), ("--a", 1), ("a,,b", 2), ("a desc", 2), ("a,-@['a']", 2), ("-", 1), ("@..a", 0)],
)
def test_what_is_no_order_is_refused_at_its_place(text: str, place: int) -> None:
    """With the name of the parameter."""
    with pytest.raises(InvalidQuery) as refused:
        Order.of(text)
    assert (refused.value.parameter, refused.value.place) == ("order", place)


@given(PATH_TEXTS)
def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    """Or something that any body can be asked for."""
    try:
        read = Order.of(text)
    except InvalidQuery as error:
        refused = error
    else:
        assert len(read.keys({"a": [{"b c": 1}]})) == len(read.by)
        return
    assert refused.place is not None
    assert 0 <= refused.place <= len(text)
