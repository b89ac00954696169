"""The collections that ITEMSTORE_COLLECTIONS names, each with its model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from itemstore.domain.events import ITEMS
from itemstore.eventlog.keys import OWN
from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName
from itemstore.store.named_model import named_model

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

RESERVED = frozenset(
    {
        *(
            OWN,
            "admin",
            "batch",
            "docs",
            "events",
            "explorer",
            "livez",
            "metrics",
            "openapi",
            "problems",
        ),
        *("partitions", "projections", "readyz", "schemas", "stats"),
    }
)
"""The API's own paths, and what stands in the place of a collection in the keys of the store."""

FORM = "write name=module:Model, or name=any for any JSON object, several separated by commas"

_SAID = "ITEMSTORE_COLLECTIONS names"


def collection_names(setting: str | None) -> tuple[str, ...]:
    """The names in a setting such as `products=shop:Product,notes=any`. Raises UnknownName."""
    return tuple(name for name, _ in _entries(setting))


def named_collections(setting: str | None, model: str | None) -> dict[str, ItemModel]:
    """The models of the collections by name; `model` is that of `items`, without the setting.

    Raises UnknownName.
    """
    if setting is not None and model is not None:
        reason = (
            ", and ITEMSTORE_COLLECTIONS is set too: name each collection's model there, as in "
            f"{ITEMS}={model}"
        )
        raise UnknownName("ITEMSTORE_MODEL is", model, reason)
    if setting is None:
        return {ITEMS: named_model(model)}
    return {name: named_model(each, said=_SAID) for name, each in _entries(setting)}


def is_name(text: str) -> bool:
    """Whether a collection may have this name."""
    return NAME.fullmatch(text) is not None and text not in RESERVED


def checked_names(names: Iterable[str], said: str) -> tuple[str, ...]:
    """The names, if collections may have them all. Raises UnknownName, which begins as `said`."""
    checked: list[str] = []
    for name in names:
        if not NAME.fullmatch(name):
            reason = ": a name is 1 to 63 lower-case letters, digits and dashes, no dash first"
            raise UnknownName(said, name, reason)
        if name in RESERVED:
            raise UnknownName(said, name, ", which is a path of the API itself: choose another")
        if name in checked:
            raise UnknownName(said, name, " twice")
        checked.append(name)
    return tuple(checked)


def _entries(setting: str | None) -> Iterator[tuple[str, str | None]]:
    """Each collection's name, and the name of its model: None for the default one."""
    if setting is None:
        return iter([(ITEMS, None)])
    parts = [each.strip().partition("=") for each in setting.split(",")]
    names, models = [name.strip() for name, _, _ in parts], []
    for name, equals, model in parts:
        if not (name or equals or model):
            raise UnknownName("ITEMSTORE_COLLECTIONS is", setting, f", with an empty entry; {FORM}")
        if equals and not model.strip():
            raise UnknownName(_SAID, f"{name}=", f" without a model; {FORM}")
        models.append(model.strip() or None)
    return zip(checked_names(names, _SAID), models, strict=True)
