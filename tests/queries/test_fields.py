"""Bodies with some of their fields only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.fields import Fields
from tests.queries.expressions import PATH_TEXTS

BODY = (
    b'{"title":"As\xc3\xa9","price":12345678901234567890,"rate":0.1,'
    b'"address":{"city":"Oslo","zip":[1,{"a":2,"b":3}],"none":{}},"tags":["x","y","z"],"no":null}'
)


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ("title", '{"title":"Asé"}'),
        ("price,title", '{"title":"Asé","price":12345678901234567890}'),
        ("rate,no", '{"rate":0.1,"no":null}'),
        ("@.address.city", '{"address":{"city":"Oslo"}}'),
        ("@.address.city, @.address.none", '{"address":{"city":"Oslo","none":{}}}'),
        ("@.address.city,address", json.dumps({"address": json.loads(BODY)["address"]})),
        ("@.tags[-1]", '{"tags":["z"]}'),
        ("@.tags[2],@.tags[-3]", '{"tags":["x","z"]}'),
        ("@.tags[-4],@.tags[3]", "{}"),
        ("@.address.zip[1].a,@.address.zip[-1].b", '{"address":{"zip":[{"a":2,"b":3}]}}'),
        ("@.address.country", "{}"),
        ("@.tags.x,@.title[0],@.no.x", "{}"),
        ("title,title", '{"title":"Asé"}'),
    ],
)
def test_what_is_wanted_stays_where_it_is(fields: str, left: str) -> None:
    """In the order of the body, and the rest goes."""
    projected = Fields.of(fields).projected(BODY)
    assert projected.decode() == json.dumps(
        json.loads(left), ensure_ascii=False, separators=(",", ":")
    )


def test_all_of_a_body_is_the_body() -> None:
    """To the byte."""
    assert Fields.of("title,@").projected(b'{ "a": 1e2 }') == b'{ "a": 1e2 }'


def test_what_was_written_into_the_log_by_hand_is_taken_or_refused() -> None:
    """Nothing but ValueError comes of it."""
    assert Fields.of("a").projected(b'{"a":"\\ud800"}') == b'{"a":"\\ud800"}'
    assert Fields.of("a").projected(b"[1]") == b"{}"
    for body in (b"{", b"", b"\xff", b'{"a":' * 100_000):
        with pytest.raises(ValueError):  # noqa: PT011 - json's own
            Fields.of("a").projected(body)


@pytest.mark.parametrize(
    ("text", "place"),
    [("", 0), ("title,", 6), ("title;price", 5), ("a,@.b[*]", 2), ("a,-b", 2), ("a b", 2)],
)
def test_fields_that_are_none_are_refused_at_their_place(text: str, place: int) -> None:
    """Nothing is guessed."""
    with pytest.raises(InvalidQuery) as refused:
        Fields.of(text)
    assert (refused.value.parameter, refused.value.place) == ("fields", place)


def test_too_many_are_refused() -> None:
    """There is a bound."""
    with pytest.raises(InvalidQuery):
        Fields.of(",".join(f"f{number}" for number in range(51)))


@given(PATH_TEXTS)
def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    """Or something that any body can be asked for."""
    try:
        read = Fields.of(text)
    except InvalidQuery as error:
        refused = error
    else:
        assert json.loads(read.projected(b'{"a":[{"b c":1}]}')) in (
            {},
            {"a": [{"b c": 1}]},
            {"a": [{}]},
        )
        return
    assert refused.place is not None
    assert 0 <= refused.place <= len(text)
