"""A look at a model when the store starts: whether it accepts what it gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from itemstore.store.model import ItemModel
from itemstore.store.model_errors import NotKept

MOST_LEVELS = 5
"""Levels of a sample: a model may hold itself."""

PATIENCE = 2.0
"""Seconds for which a start waits for the operator's code to look at the sample."""

_TEXTS = {
    "date": "2026-11-23", "date-time": "2026-11-23T08:09:06Z", "time": "08:09:06Z",
    "duration": "PT1S", "uuid": "0195d2c4-7d8a-7abc-8def-0123456789ab", "email": "a@example.com",
    "uri": "https://example.com/", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "base64url": "YWJj", "binary": "YWJj",
}  # fmt: skip


def doubt(model: ItemModel) -> str | None:
    """Why the model seems to accept no item as it gives it; None where no sample shows that."""
    found: list[str | None] = []
    # In a thread: the model's code may never end, and the store starts all the same.
    thread = threading.Thread(target=lambda: found.append(_doubt(model)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found[0] if found else None


def _doubt(model: ItemModel) -> str | None:
    """As `doubt`. A sample has what the JSON Schema asks for: all members, else the required."""
    try:
        schema = model.schema("#/$defs/{model}")
    except PydanticInvalidForJsonSchema:
        return None
    for all_members in (True, False):
        sample = _Samples(schema.get("$defs", {}), all_members=all_members).of(schema)
        try:
            model.stored(json.dumps(sample).encode())
        except NotKept as error:
            return str(error)
        except BaseException:  # noqa: BLE001, S112 - the operator's code, which does not know the sample
            continue
        else:
            return None
    return None


class _Samples:
    """Makes values of a JSON Schema; `shared` are those that it refers to by name."""

    def __init__(self, shared: dict[str, Any], *, all_members: bool) -> None:
        self._shared = shared
        self._all_members = all_members
        self._kinds: dict[Any, Callable[[dict[str, Any], int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": lambda *_: True,
        }

    def of(self, schema: Any, levels: int = MOST_LEVELS) -> Any:
        """A value that may fit the schema."""
        if not isinstance(schema, dict) or levels < 0:
            return None
        if "$ref" in schema:
            return self.of(self._shared.get(schema["$ref"].rpartition("/")[2]), levels - 1)
        if "const" in schema:
            return schema["const"]
        if examples := schema.get("enum") or schema.get("examples"):
            return examples[0]
        if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return self.of(choices[0], levels - 1)
        make = self._kinds.get(schema.get("type"))
        return make(schema, levels - 1) if make else None

    def _object(self, schema: dict[str, Any], levels: int) -> Any:
        properties = schema.get("properties", {})
        names = properties if self._all_members else schema.get("required", ())
        members = {name: self.of(properties.get(name), levels) for name in names}
        if not members and isinstance(schema.get("additionalProperties"), dict):
            return {"a": self.of(schema["additionalProperties"], levels)}
        return members

    def _array(self, schema: dict[str, Any], levels: int) -> Any:
        return [
            self.of(each, levels) for each in schema.get("prefixItems") or [schema.get("items")]
        ]

    def _string(self, schema: dict[str, Any], _: int) -> Any:
        return _TEXTS.get(schema.get("format", ""), "a").ljust(schema.get("minLength", 0), "a")

    def _number(self, schema: dict[str, Any], _: int) -> Any:
        return max(1, schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
