"""Partial changes: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itemstore.api.http.json_patch import carried_out, operations
from itemstore.api.http.media_types import MERGE_PATCH
from itemstore.eventlog.json_text import DEEPEST, check_json, is_deeper
from itemstore.store.model_errors import InvalidItem


@dataclass(frozen=True, slots=True)
class Change:
    """What a patch asks for. `of` makes a new value from the old one, which it may change.

    `of` raises Problem: 409 where the patch does not fit, 413 past the limit of what is copied,
    and InvalidItem for what is nested too deep. `copies` says that it may make a large value from
    little.
    """

    of: Callable[[Any], Any]
    copies: bool


def parse(media_type: str, document: bytes, limit: int) -> Change:
    """The change that a patch document asks for. Raises MalformedJson, and Problem (400).

    `limit` is the most bytes that a JSON Patch may make of an item by copying.
    """
    return change_of(media_type, check_json(document, what="patch"), limit)


def change_of(media_type: str, patch: Any, limit: int) -> Change:
    """The change that a patch, already read as JSON, asks for. Raises Problem (400)."""
    if media_type == MERGE_PATCH:
        return Change(lambda value: _not_too_deep(merged(value, patch)), copies=False)
    listed = operations(patch)
    return Change(
        lambda value: _not_too_deep(carried_out(value, listed, limit)),
        copies=any(each.op == "copy" for each in listed),
    )


def merged(target: Any, patch: Any) -> Any:
    """The target with the merge patch applied (RFC 7396 §2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _not_too_deep(value: Any) -> Any:
    if is_deeper(value, DEEPEST):
        raise InvalidItem([("", f"the patched item is nested in more than {DEEPEST} levels")])
    return value
