"""Whether a model accepts what it gives, with the same result."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

Place = tuple[int | str, ...]
"""Keys and indexes on the way to a value."""

_SECRETS = (Secret, SecretStr, SecretBytes)


def first_difference(one: Any, other: Any) -> Place | None:
    """Where two JSON values first differ: 1, 1.0 and true are three values. None if nowhere."""
    return _first(one, other, _is_other_json)


def first_loss(given: Any, again: Any) -> Place | None:
    """Where a value of the item was lost on the way through its JSON: a secret, NaN, an infinity.

    Such a value can leave the JSON as it is: asterisks for a secret are asterisks the next time.
    """
    return _first(given, again, _is_lost)


def _first(one: Any, other: Any, differs: Callable[[Any, Any], bool]) -> Place | None:
    waiting: list[tuple[Place, Any, Any]] = [((), one, other)]
    while waiting:
        place, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            names = [*one, *(name for name in other if name not in one)]
            inner = [
                ((*place, str(name)), one.get(name, _ABSENT), other.get(name, _ABSENT))
                for name in names
            ]
        elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
            inner = [
                ((*place, index), value, other[index] if index < len(other) else _ABSENT)
                for index, value in enumerate(one)
            ]
            if len(other) > len(one):
                inner.append(((*place, len(one)), _ABSENT, other[len(one)]))
        elif differs(one, other):
            return place
        else:
            continue
        waiting += reversed(inner)
    return None


_ABSENT = object()


def _is_other_json(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or bool(one != other)


def _is_lost(given: Any, again: Any) -> bool:
    if isinstance(given, float) and not math.isfinite(given):
        return not isinstance(again, float) or repr(given) != repr(again)
    return isinstance(given, _SECRETS) and bool(given != again)


def in_any_order(value: Any) -> Any:
    """The JSON value with the lists sorted, for a model with sets."""
    if isinstance(value, dict):
        return {name: in_any_order(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(in_any_order, value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value


def not_finite(value: Any) -> Place | None:
    """Where the JSON value has a number that JSON has not."""
    return _first(value, value, lambda one, _: isinstance(one, float) and not math.isfinite(one))


def without(value: Any, places: Iterator[Place]) -> bool:
    """Takes members out of a JSON value; whether there were any.

    A place is one of pydantic's, which also names the choices of a union: what is no key and no
    index on the way is passed over.
    """
    found = False
    for *way, name in places:
        outer = value
        for part in way:
            is_index = isinstance(outer, list) and isinstance(part, int) and part < len(outer)
            if is_index or (isinstance(outer, dict) and part in outer):
                outer = outer[part]
        if isinstance(outer, dict) and name in outer:
            del outer[name]
            found = True
    return found


def forget_computed(item: Any) -> None:
    """Takes members with the name of a computed field out of what models keep as extra."""
    waiting, seen = [item], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:  # what a model leaves out of its JSON may lead back to itself
            continue
        seen.add(id(each))
        if isinstance(each, BaseModel):
            extra = each.__pydantic_extra__
            if extra:
                for name, computed in type(each).model_computed_fields.items():
                    extra.pop(computed.alias or name, None)
                waiting += extra.values()
            waiting += vars(each).values()
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
