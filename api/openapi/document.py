"""The OpenAPI document: what FastAPI made of the routes, with all that they refer to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from itemstore.api.openapi.headers import HEADERS
from itemstore.api.openapi.parameters import PARAMETERS
from itemstore.api.openapi.schemas import MODEL, SCHEMAS, Description, ref
from itemstore.store.model import ItemModel

ABOUT = """\
An event-sourced item store. Every write is an event in a log; the type of the event that a PUT
appended decides whether it answers 201 (ItemCreated) or 200 (ItemUpdated)."""

_SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Wanted once the operator has made a token.",
    }
}


def complete(document: Description, models: Mapping[str, ItemModel]) -> Description:
    """The document that FastAPI made of the routes, with the components that they refer to."""
    model = next(iter(models.values()))
    schema = _without_defaults(model.schema("#/components/schemas/{model}"))
    nested = schema.pop("$defs", {})
    described = {model.name: schema | {"title": model.name}} | nested
    own = SCHEMAS
    # A shape of ours that is named like one of the operator's models makes way for it.
    names = {name: f"Store{name}" for name in own if name in described} | {MODEL: model.name}
    document["components"] = {
        "parameters": PARAMETERS,
        "headers": HEADERS,
        "securitySchemes": _SECURITY_SCHEMES,
    }
    # None at all is allowed while the store has no token.
    document["security"] = [{"token": []}, {}]
    document["tags"] = [
        {"name": "items", "description": "The items."},
        {"name": "service", "description": "The service itself."},
    ]
    document = _renamed(document, names)
    document["components"]["schemas"] = described | {
        names.get(name, name): _renamed(shape, names) for name, shape in own.items()
    }
    return document


def _without_defaults(schema: Description) -> Description:
    """A JSON Schema whose properties have no `default`; the description tells of it instead.

    Generators take a property with a default for one that is always there, and demand it in each
    body that is sent; and what was stored under an earlier model need not have it.
    """
    changed = dict(schema)
    for group in ("properties", "$defs"):
        members = {name: _without_defaults(each) for name, each in schema.get(group, {}).items()}
        if members:
            changed[group] = members
    for each in changed.get("properties", {}).values():
        default = each.pop("default", None)
        if default is not None:
            described = each.get("description", "").rstrip(".")
            said = f"Without it: `{json.dumps(default, ensure_ascii=False)}`."
            each["description"] = f"{described}. {said}" if described else said
    return changed


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """The document with every reference to a schema in `names` changed to its new name."""
    if isinstance(node, list):
        return [_renamed(value, names) for value in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref")).removeprefix("#/components/schemas/")
    if name in names:
        return ref("schemas", names[name])
    return {key: _renamed(value, names) for key, value in node.items()}
