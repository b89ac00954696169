"""Paths: how they are written, and what they lead to."""

from __future__ import annotations

from typing import Any

import pytest

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.paths import MISSING, path_of, paths_written, value_at


@pytest.mark.parametrize(
    ("text", "normalized", "written"),
    [
        ("title", "$['title']", "title"),
        ("first-name", "$['first-name']", "first-name"),
        ("价格", "$['价格']", "价格"),
        ("@.title", "$['title']", "title"),
        (" $.title ", "$['title']", "title"),
        ("@.address.city", "$['address']['city']", "@.address.city"),
        ("$['a b'][0]", "$['a b'][0]", "@['a b'][0]"),
        ('@["it\'s"]', "$['it\\'s']", "@['it\\'s']"),
        ("@.tags[-1]", "$['tags'][-1]", "@.tags[-1]"),
        ("@['\\u0000\\n']", "$['\\u0000\\n']", "@['\\u0000\\n']"),
        ("@", "$", "@"),
    ],
)
def test_a_path_has_one_spelling(text: str, normalized: str, written: str) -> None:
    """Whatever it is written like, and all spellings lead to the same."""
    path = path_of(text, "order")
    assert (path.normalized, str(path)) == (normalized, written)
    assert path_of(normalized, "order") == path_of(written, "order") == path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("address.city", 0),
        ("tags[0]", 0),
        ("@.*", 0),
        ("@..a", 0),
        ("@.a b", 4),
        ("@.a,b", 3),
        ("@['a'", 5),
        ("@[1:2]", 0),
        ("@.a[?@.b]", 0),
        ("'a'", 0),
        ("@.", 2),
        ("1", 0),
    ],
)
def test_what_is_no_path_is_refused_at_its_place(text: str, place: int) -> None:
    """With the name of the parameter."""
    with pytest.raises(InvalidQuery) as refused:
        path_of(text, "fields")
    assert (refused.value.parameter, refused.value.place) == ("fields", place)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", {"b": [1, None]}),
        ("@.a.b[0]", 1),
        ("@.a.b[-1]", None),
        ("@.a.b[2]", MISSING),
        ("@.a.b[-3]", MISSING),
        ("@.a[0]", MISSING),
        ("@.a.b.c", MISSING),
        ("b", MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, value: Any) -> None:
    """A null is a value."""
    assert value_at(path_of(path, "order"), {"a": {"b": [1, None]}}) == value


def test_what_was_written_is_read_again_however_long_it_became() -> None:
    """Fifty paths of a table, or one whose every character is escaped."""
    paths = [path_of(f"member{number}{'y' * 100}", "text") for number in range(50)]
    assert paths_written(",".join(path.normalized for path in paths)) == paths
    path = path_of(f"""@["{"'" * 3900}"]""", "order")
    assert paths_written(path.normalized) == paths_written(str(path)) == [path]
