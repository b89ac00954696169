"""Our own schemas in the document: what holds an item once for each model, all else once."""

from __future__ import annotations

from collections.abc import Mapping

from itemstore.api.openapi.model_schemas import ModelSchemas
from itemstore.api.openapi.references import renamed
from itemstore.api.openapi.schemas import EVENT, LISTED, MODEL, PAGE, Description, ref
from itemstore.domain.events import ITEMS


class OwnSchemas:
    """Our schemas, by the names that they have in the document.

    `names` says what the operations of each collection mean by a name, `shared` what those of the
    whole store do. A schema that is named like an operator's model makes way for it.
    """

    def __init__(self, own: Description, models: ModelSchemas) -> None:
        self.schemas: Description = {}
        self.names: dict[str, Mapping[str, str]] = {}
        self._taken = {*models.schemas}
        self._given: dict[tuple[str, str], str] = {}
        self.shared = {name: self._name(name) for name in own if name not in {PAGE, LISTED}}
        is_only_items = [*models.names] == [ITEMS]
        for collection, model in models.names.items():
            is_items = collection == ITEMS
            names = self.shared | {
                MODEL: model,
                PAGE: self._name(PAGE if is_items else f"{model}Page", model),
                LISTED: self._name(LISTED if is_items else f"Listed{model}", model),
            }
            if not is_only_items:
                names[EVENT] = self._name(f"{model}Event", model)
            self.names[collection] = names
            for name in (PAGE, LISTED, EVENT):
                self._add(names[name], renamed(own[name], names))
        if not is_only_items:
            self._tell_events_apart()
        for name, schema in own.items():
            if name not in {PAGE, LISTED, EVENT}:
                self._add(self.shared[name], renamed(schema, self.shared))

    def _add(self, name: str, schema: Description) -> None:
        self.schemas.setdefault(name, schema | {"title": name})

    def _name(self, name: str, model: str = "") -> str:
        """The name of a schema that holds an item of this model, beside all other schemas."""
        if (name, model) not in self._given:
            free = name
            while free in self._taken:
                free = f"Store{free}"
            self._taken.add(free)
            self._given[name, model] = free
        return self._given[name, model]

    def _tell_events_apart(self) -> None:
        """Says which sources events of each kind have, and that an event is one of the kinds."""
        sources: dict[str, list[str]] = {}
        for collection, names in self.names.items():
            sources.setdefault(names[EVENT], []).append(f"/{collection}")
        for name, paths in sources.items():
            members = self.schemas[name]["properties"]
            source = members["source"] | {"enum": paths}
            self.schemas[name] |= {"properties": members | {"source": source}}
        self._add(self.shared[EVENT], {"anyOf": [ref("schemas", name) for name in sources]})
