"""What pydantic's core schema of a model says about it, read once at the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ALWAYS_THE_SAME = frozenset(
    {"definitions", "definition-ref", "model", "model-fields", "model-field", "nullable",
     "default", "list", "dict", "str", "int", "bool", "none", "any"}
)  # fmt: skip
"""Types whose JSON is read back as what it was, unless the schema asks for something special."""

_SPECIAL = frozenset(
    {"serialization", "custom_init", "post_init", "root_model", "computed_fields", "extras_schema",
     "extras_keys_schema", "validation_alias", "serialization_alias", "serialization_exclude",
     "serialization_exclude_if", "default_factory", "to_lower", "to_upper"}
)  # fmt: skip

_HARMLESS_CONFIG = frozenset({"title", "extra_fields_behavior", "strict", "str_strip_whitespace"})

_CODE = frozenset({"function", "default_factory", "custom_init", "post_init", "computed_fields"})

_NO_SCHEMA = frozenset({"metadata", "default", "expected", "members", "cls", "config"})
"""Keys of a schema whose values hold none, whatever they look like."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model may do with a body.

    `is_stable`: what it gives is always accepted, with the same result. `runs_code`: it has
    code in Python, which may take any time. `has_sets`: what it gives is in no certain order.
    `computed` are the names of computed fields, in any model within it.
    """

    is_stable: bool
    runs_code: bool
    has_sets: bool
    computed: frozenset[str]

    @classmethod
    def of(cls, schema: Any) -> Traits:
        """The traits of a model by its core schema."""
        nodes = list(_nodes(schema))
        kinds = {node["type"] for node in nodes if isinstance(node.get("type"), str)}
        return cls(
            is_stable=kinds <= _ALWAYS_THE_SAME and all(map(_is_plain, nodes)),
            runs_code=any(map(_has_code, nodes)),
            has_sets=not kinds.isdisjoint({"set", "frozenset"}),
            computed=frozenset(
                name
                for node in nodes
                if node.get("type") == "computed-field"
                for name in (node.get("alias"), node["property_name"])
                if name is not None
            ),
        )


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += [inner for key, inner in node.items() if key not in _NO_SCHEMA]
        elif isinstance(node, list | tuple):
            waiting += node


def _is_plain(node: dict[str, Any]) -> bool:
    """Whether nothing in a node changes what its type does.

    A default that is not None may be of another type than its field.
    """
    return (
        not any(node.get(key) for key in _SPECIAL)
        and node.get("default") is None
        and node.get("config", {}).keys() <= _HARMLESS_CONFIG
    )


def _has_code(node: dict[str, Any]) -> bool:
    # Python's own regular expressions can take any time; pydantic's default engine can't.
    is_slow_pattern = node.get("config", {}).get("regex_engine") == "python-re"
    is_compiled = not isinstance(node.get("pattern", ""), str)
    return (
        is_slow_pattern
        or is_compiled
        or any(node.get(key) for key in _CODE)
        or callable(node.get("discriminator"))
    )


def add_computed(schema: dict[str, Any], written: dict[str, Any]) -> None:
    """Adds to the JSON Schema of what a model takes the computed fields of what it writes."""
    taken, given = schema.get("$defs", {}), written.get("$defs", {})
    for name, described in [("", written), *given.items()]:
        target = taken.setdefault(name, described) if name else schema
        for field, each in described.get("properties", {}).items():
            if each.get("readOnly"):
                target.setdefault("properties", {}).setdefault(field, each)
    if taken:
        schema["$defs"] = taken
