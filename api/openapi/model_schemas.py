"""The operator's models in the document: each under a name of its own.

Two collections may have models of the same name. Where these are the same in all that they refer to
there is one schema; else the later one has its collection in front: `OldProductsProduct`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from itemstore.api.openapi.references import references, renamed
from itemstore.api.openapi.schemas import Description
from itemstore.store.model import ItemModel


class ModelSchemas:
    """The schemas of all models by name, and what the model of each collection is called."""

    def __init__(self, models: Mapping[str, ItemModel]) -> None:
        self.schemas: Description = {}
        self.names: dict[str, str] = {}
        for collection, model in models.items():
            own = _schemas_of(model)
            new = _new_names(own, self.schemas, _in_camel_case(collection))
            for name, schema in own.items():
                if name in new:
                    self.schemas[new[name]] = renamed(schema, new) | {"title": new[name]}
                else:
                    self.schemas[name] = renamed(schema, new)
            self.names[collection] = new.get(model.name, model.name)


def _new_names(own: Description, taken: Description, prefix: str) -> dict[str, str]:
    """New names for those of a model's schemas whose names others have that are not the same.

    A schema is another one where what it refers to is another one.
    """
    others = {name for name, schema in own.items() if taken.get(name, schema) != schema}
    while more := {
        name for name in own.keys() - others if name in taken and others & {*references(own[name])}
    }:
        others |= more
    new: dict[str, str] = {}
    for name in sorted(others):
        new[name] = _free(prefix + name, {*taken, *own, *new.values()})
    return new


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with an x behind it for as long as something is called so."""
    while name in taken:
        name += "x"
    return name


def _in_camel_case(collection: str) -> str:
    return "".join(part.capitalize() for part in collection.split("-"))


def _schemas_of(model: ItemModel) -> Description:
    """The schema of a model, and those of the models within it, by their own names."""
    schema = _without_defaults(model.schema("#/components/schemas/{model}"))
    nested: Description = schema.pop("$defs", {})
    return {model.name: schema | {"title": model.name}} | nested


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
