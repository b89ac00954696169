"""Partial changes: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonpatch
import jsonpointer
from pydantic_core import to_json

from api.json_text import check_json
from api.problems import Problem

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

MOST_OPERATIONS = 1000
"""Operations in one JSON Patch; each may look at the whole item."""

_NEEDED = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from"}
"""What an operation needs besides `op` and `path` (RFC 6902 §4)."""

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
        return [_checked(operation) for operation in patch]
    except _MALFORMED as error:
        raise Problem("malformed-patch", f"The patch can't be read: {error}.") from None


def _checked(operation: Any) -> jsonpatch.JsonPatch:
    """The operation as a patch of its own; raises one of _MALFORMED.

    jsonpatch looks for `value` and `from` only when it applies them, and then can't tell a patch
    that is wrong from an item that it does not fit.
    """
    patch = jsonpatch.JsonPatch([operation])
    needed = _NEEDED.get(operation["op"])
    if needed is not None and needed not in operation:
        message = f"{operation['op']} needs {needed!r}"
        raise jsonpatch.InvalidJsonPatch(message)
    if needed == "from":
        jsonpointer.JsonPointer(operation["from"])
    return patch


def _patched(value: Any, operations: list[jsonpatch.JsonPatch], limit: int) -> Any:
    copied = 0
    for number, operation in enumerate(operations):
        try:
            copied += _size_of_copy(value, operation)
            if copied > limit:  # a few dozen copies of the whole into itself fill any memory
                sentence = f"Operation {number} makes the item larger than {limit} bytes."
                raise Problem("content-too-large", sentence, members={"limit": limit})
            value = operation.apply(value, in_place=True)
        except _DOES_NOT_FIT as error:
            sentence = f"Operation {number} does not fit the item: {_reason(operation, error)}."
            raise Problem("patch-conflict", sentence, members={"operation": number}) from None
    return value


def _reason(operation: jsonpatch.JsonPatch, error: Exception) -> str:
    if isinstance(error, jsonpatch.JsonPatchTestFailed):  # it says what Python calls the values
        return f"what is at {operation.patch[0]['path']!r} is not what the test wants"
    return str(error)


def _size_of_copy(value: Any, operation: jsonpatch.JsonPatch) -> int:
    [details] = operation.patch
    if details["op"] != "copy":
        return 0
    return len(to_json(jsonpointer.resolve_pointer(value, details["from"])))


_MALFORMED = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError)

_DOES_NOT_FIT = (*_MALFORMED, RecursionError)
