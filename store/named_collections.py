"""The collections that ITEMSTORE_COLLECTIONS names, each with its model."""

from __future__ import annotations

import re

from itemstore.domain.events import ITEMS
from itemstore.eventlog.keys import OWN
from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName
from itemstore.store.named_model import named_model

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

RESERVED = frozenset(
    {
        *(OWN, "batch", "docs", "events", "explorer", "livez", "metrics", "openapi", "problems"),
        *("projections", "readyz", "stats"),
    }
)
"""The API's own paths, and what stands in the place of a collection in the keys of the store."""

_SAID = "ITEMSTORE_COLLECTIONS names"


def collection_names(setting: str | None) -> tuple[str, ...]:
    """The names in a setting such as `products=shop:Product,notes=any`. Raises UnknownName."""
    return tuple(_parsed(setting))


def named_collections(setting: str | None, model: str | None) -> dict[str, ItemModel]:
    """The models of the collections by name; `model` is that of the only one.

    Raises UnknownName.
    """
    if setting is None:
        return {ITEMS: named_model(model)}
    return {name: named_model(each) for name, each in _parsed(setting).items()}


def checked_name(name: str) -> str:
    """The name, if a collection may have it. Raises UnknownName."""
    if not NAME.fullmatch(name):
        reason = ": a name is 1 to 63 lower-case letters, digits and dashes, and begins with none"
        raise UnknownName(_SAID, name, reason)
    if name in RESERVED:
        raise UnknownName(_SAID, name, ", which is a path of the API itself: choose another name")
    return name


def _parsed(setting: str | None) -> dict[str, str | None]:
    """The name of each collection's model by its own name, None for the default one."""
    if setting is None:
        return {ITEMS: None}
    models: dict[str, str | None] = {}
    for each in setting.split(","):
        name, equals, model = each.strip().partition("=")
        if checked_name(name) in models:
            raise UnknownName(_SAID, name, " twice")
        if equals and not model:
            raise UnknownName(_SAID, f"{name}=", " without a model: write module:Model, or any")
        models[name] = model or None
    return models
