"""References to schemas: which ones a part of the document has, and by which names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from itemstore.api.openapi.schemas import ref

_BEGINNING = "#/components/schemas/"


def renamed(node: Any, names: Mapping[str, str]) -> Any:
    """A part of the document with every reference to a schema in `names` changed to its new name.

    A reference stands under `$ref`, or in the `mapping` of a discriminator.
    """
    if isinstance(node, list):
        return [renamed(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    name = _name(node.get("$ref"))
    if name is not None and name in names:
        return ref("schemas", names[name])
    changed = {key: renamed(each, names) for key, each in node.items()}
    if _is_discriminator(node):
        changed["mapping"] = {
            value: _BEGINNING + names.get(_name(each) or "", _name(each) or each)
            for value, each in node["mapping"].items()
        }
    return changed


def references(node: Any) -> Iterator[str]:
    """The names of the schemas that a part of the document refers to."""
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        if (name := _name(node.get("$ref"))) is not None:
            yield name
        for each in node.values():
            yield from references(each)


def _is_discriminator(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("mapping"), dict) and isinstance(node.get("propertyName"), str)


def _name(reference: object) -> str | None:
    """The name of the schema that is referred to, None for what is no reference to one."""
    if isinstance(reference, str) and reference.startswith(_BEGINNING):
        return reference.removeprefix(_BEGINNING)
    return None
