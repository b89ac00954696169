"""What is wrong with a body: the first errors, where they are, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from itemstore.eventlog.excerpts import sentence

MOST_LISTED = 20
"""Errors that are listed. A body of 1 MiB can have 300,000."""

MOST_POINTER = 300
"""Characters of a pointer. The name of a member can be as long as a body."""

BEGINNING = 1000
"""Where a body has more errors than this, those to list are sought in this many of its values."""

_OF_A_CUT = frozenset({"missing", "too_short", "union_tag_not_found"})
"""Errors that the beginning of a body can have although the whole body does not."""

Error = tuple[str, str]
"""A JSON Pointer, and what is wrong there."""


class InvalidItem(Exception):
    """The body is JSON, but not an item.

    `errors` are the first of `count`, in the order of the body.
    """

    def __init__(self, errors: Sequence[Error], count: int | None = None) -> None:
        self.errors = errors[:MOST_LISTED]
        self.count = len(errors) if count is None else count
        place, detail = errors[0]
        values = "One value does" if self.count == 1 else f"{self.count} values do"
        first = ": " if self.count == 1 else "; the first is "
        super().__init__(f"{values} not fit the model{first}{place or 'the whole body'}: {detail}.")


class NotKept(InvalidItem):
    """The model takes the body, and what it makes of it can't be stored."""


def refused(error: ValidationError, listed: list[Any] | None = None) -> InvalidItem:
    """What the model refuses. `listed` are pydantic's errors to list where not all are."""
    errors = collected(error) if listed is None else listed
    return InvalidItem([_error(each) for each in errors[:MOST_LISTED]], error.error_count())


def collected(error: ValidationError) -> list[Any]:
    """All errors as pydantic has them: one call into C, about a microsecond for each."""
    return error.errors(include_url=False, include_input=False)


def errors_of_beginning(error: ValidationError | None) -> list[Any]:
    """The errors of the beginning of a body, without those that only come from the cut."""
    errors = [] if error is None else collected(error)
    kept = [each for each in errors if each["type"] not in _OF_A_CUT]
    elsewhere = f"they are not in the first {BEGINNING:,} values"
    return kept or [{"loc": (), "type": "", "msg": elsewhere}]


def beginning(value: Any) -> Any:
    """As much of a JSON value as has BEGINNING values."""
    room = BEGINNING

    def part(whole: Any) -> Any:
        nonlocal room
        room -= 1
        if isinstance(whole, dict):
            return {name: part(inner) for name, inner in whole.items() if room > 0}
        if isinstance(whole, list):
            return [part(inner) for inner in whole if room > 0]
        return whole

    return part(value)


def _error(error: Any) -> Error:
    location, message = error["loc"], error["msg"]
    if error["type"] == "extra_forbidden":
        message = "The model has no such field"
    elif error["type"] == "union_tag_invalid":  # pydantic's own sentence quotes the value
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
