"""What ITEMSTORE_INDEXES and ITEMSTORE_TEXT declare: members of the items of each collection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from itemstore.domain.events import ITEMS
from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.paths import MOST_PATHS, Path, path_of, paths_written

FORM = (
    "write collection=path, several paths separated by commas, as in "
    "products=title,price_cents,orders=customer"
)


class NotDeclarable(Exception):
    """A setting declares what can't be."""

    def __init__(self, setting: str, said: str) -> None:
        super().__init__(f"{setting} {said}.")


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared for one collection, in the order of the settings.

    `indexes` are paths by which queries find items fast, `text` those whose words are searched.
    """

    indexes: tuple[Path, ...] = ()
    text: tuple[Path, ...] = ()


def declared(
    indexes: str | None, text: str | None, collections: Collection[str]
) -> Mapping[str, Declared]:
    """What the two settings declare for each of the store's collections. Raises NotDeclarable."""
    indexed = _paths("ITEMSTORE_INDEXES", indexes, collections)
    searched = _paths("ITEMSTORE_TEXT", text, collections)
    return {name: Declared(indexed.get(name, ()), searched.get(name, ())) for name in collections}


def with_index(indexes: str | None, collection: str, path: str) -> str | None:
    """What ITEMSTORE_INDEXES has to be to declare one path more of a collection.

    None where it declares that already.
    """
    paths: dict[str, list[str]] = {}
    for name, written in _entries("ITEMSTORE_INDEXES", indexes):
        paths.setdefault(name, []).append(written)
    of_it = paths.setdefault(collection, [])
    if paths_written(path)[0] in [path_of(each, "path") for each in of_it]:
        return None
    of_it.append(path)
    return ",".join(f"{name}={','.join(each)}" for name, each in paths.items())


def _paths(
    setting: str, text: str | None, collections: Collection[str]
) -> dict[str, tuple[Path, ...]]:
    """The paths by collection."""
    found: dict[str, tuple[Path, ...]] = {}
    for collection, written in _entries(setting, text):
        if collection not in collections:
            raise NotDeclarable(setting, _unknown(collection, written, collections))
        try:
            path = path_of(written, setting)
        except InvalidQuery as error:
            at = "" if error.place is None else f" (at character {error.place + 1})"
            reason = error.reason.rstrip(".")
            raise NotDeclarable(
                setting, f"names {written!r} of {collection}: {reason}{at}"
            ) from None
        paths = found.get(collection, ())
        if path.normalized in {each.normalized for each in paths}:
            raise NotDeclarable(setting, f"names {written!r} of {collection} twice")
        if len(paths) == MOST_PATHS:
            raise NotDeclarable(setting, f"names more than {MOST_PATHS} paths of {collection}")
        found[collection] = (*paths, path)
    return found


def _unknown(collection: str, written: str, collections: Collection[str]) -> str:
    """What is said of a collection that the store does not have."""
    has = f"the store has {', '.join(sorted(collections))}"
    if collection != ITEMS:
        return f"names the collection {collection!r}: {has}"
    return f"names {written!r} of no collection, and there is no {ITEMS}: {has}; {FORM}"


def _entries(setting: str, text: str | None) -> Iterator[tuple[str, str]]:
    """Each path as it is written, with its collection."""
    collection = ITEMS
    for part in _split(setting, text, ",") if text is not None else ():
        name, *rest = (each.strip() for each in _split(setting, part, "=", most=1))
        if rest:
            collection = name
        path = rest[0] if rest else name
        if not path or not collection:
            raise NotDeclarable(setting, f"is {text!r}, with an empty entry; {FORM}")
        yield collection, path


def _split(setting: str, text: str, at: str, most: int = -1) -> list[str]:
    """The parts of a text between the characters `at` that are in no quotes of a path."""
    parts: list[str] = []
    quote, begin, skipped = "", 0, False
    for place, character in enumerate(text):
        if skipped:
            skipped = False
        elif quote:
            skipped = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == at and len(parts) != most:
            parts.append(text[begin:place])
            begin = place + 1
    if quote:
        raise NotDeclarable(setting, f"is {text!r}, with a quote ({quote}) that has no end; {FORM}")
    return [*parts, text[begin:]]
