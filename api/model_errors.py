"""What is wrong with a body, as a problem: the first errors, where they are, and how many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from api.problems import Problem
from api.quoting import sentence

MOST_LISTED = 20
"""Errors that a problem lists. A body of 1 MiB can have 300,000."""

MOST_POINTER = 300
"""Characters of a pointer. The name of a member can be as long as a body."""

Error = tuple[str, str]
"""A JSON Pointer, and what is wrong there."""


def invalid(errors: Iterable[Error], count: int | None = None) -> Problem:
    """The body is not an item. `count` is how many errors there are, where not all are given."""
    listed = list(errors)
    pointer, detail = listed[0]
    number = len(listed) if count is None else count
    values = "One value does" if number == 1 else f"{number} values do"
    first = ": " if number == 1 else "; the first is "
    where = f"{pointer or 'the whole body'}: {detail}"
    members = {
        "errors": [{"pointer": place, "detail": said} for place, said in listed[:MOST_LISTED]],
        "count": number,
    }
    return Problem("invalid-item", f"{values} not fit the model{first}{where}.", members=members)


def not_valid(error: ValidationError) -> Problem:
    """The body is not what the model wants."""
    errors = error.errors(include_url=False, include_input=False)[:MOST_LISTED]
    return invalid(map(_error, errors), error.error_count())


def _error(error: Any) -> Error:
    location, message = error["loc"], error["msg"]
    if error["type"] == "union_tag_invalid":  # pydantic's own sentence quotes the value
        context = error["ctx"]
        message = f"{context['discriminator']} is none of {context['expected_tags']}"
    return pointer(location), sentence(message)


def pointer(location: Iterable[int | str]) -> str:
    """The JSON Pointer to a place (RFC 6901); to what is around it where it would be too long."""
    text = ""
    for part in location:
        longer = f"{text}/{str(part).replace('~', '~0').replace('/', '~1')}"
        if len(longer) > MOST_POINTER:
            break
        text = longer
    return text
