"""Partial changes: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonpatch
import jsonpointer

from api.model import check_json
from api.problems import Problem

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

MOST_OPERATIONS = 1000
"""Operations in one JSON Patch; each may look at the whole item."""

Change = Callable[[Any], Any]


def parse(media_type: str, document: bytes, limit: int) -> Change:
    """The change that a patch document asks for: a function from the old value to the new one.

    `limit` is the most bytes that a JSON Patch may make of an item by copying. Raises Problem
    (400) for a document that can't be read; the change raises Problem (409) where it does not
    fit the value, and (413) past the limit.
    """
    patch = check_json(document)
    if media_type == MERGE_PATCH:
        return lambda value: merged(value, patch)
    operations = _checked_operations(patch)
    return lambda value: _patched(value, operations, limit)


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


def _checked_operations(patch: Any) -> list[jsonpatch.JsonPatch]:
    if not isinstance(patch, list):
        raise Problem("malformed-patch", "A JSON Patch is a list of operations.")
    if len(patch) > MOST_OPERATIONS:
        sentence = f"A JSON Patch may have {MOST_OPERATIONS} operations here, not {len(patch)}."
        raise Problem("malformed-patch", sentence)
    try:
        return [jsonpatch.JsonPatch([operation]) for operation in patch]
    except _MALFORMED as error:
        raise Problem("malformed-patch", f"The patch can't be read: {error}.") from None


def _patched(value: Any, operations: list[jsonpatch.JsonPatch], limit: int) -> Any:
    copied = 0
    for number, operation in enumerate(operations):
        try:
            copied += _size_of_copy(value, operation)
            if copied > limit:  # a few dozen copies of the whole into itself fill any memory
                sentence = f"Operation {number} makes the item larger than {limit} bytes."
                raise Problem("content-too-large", sentence, members={"limit": limit})
            value = operation.apply(value, in_place=True)
        except jsonpatch.InvalidJsonPatch as error:
            sentence = f"Operation {number} can't be read: {error}."
            raise Problem("malformed-patch", sentence) from None
        except _DOES_NOT_FIT as error:
            sentence = f"Operation {number} does not fit the item: {error}."
            raise Problem("patch-conflict", sentence, members={"operation": number}) from None
    return value


def _size_of_copy(value: Any, operation: jsonpatch.JsonPatch) -> int:
    [details] = operation.patch
    if details["op"] != "copy":
        return 0
    source = details.get("from")
    return len(json.dumps(jsonpointer.resolve_pointer(value, source))) if source else 0


_MALFORMED = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError)

_DOES_NOT_FIT = (*_MALFORMED, RecursionError)
