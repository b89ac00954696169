"""What a token may touch: items of some collections, with ids that begin in some ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from itemstore.domain.ids import InvalidItemId, prefix_of
from itemstore.domain.prefixes import EVERY_ID, collapsed, narrowed

MOST_PREFIXES = 32
"""Prefixes of one token: a list asks the engine for as many ranges in one step."""

MOST_COLLECTIONS = 128
"""Collections of one token."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The collections and the ids that a token is bound to.

    `collections` is None for all of them. `prefixes` are in order, and none begins with another.
    """

    collections: frozenset[str] | None = None
    prefixes: tuple[str, ...] = EVERY_ID

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole store: the token is bound to nothing."""
        return self.collections is None and self.has_every_id

    @property
    def has_every_id(self) -> bool:
        """Whether an id may begin with anything."""
        return self.prefixes == EVERY_ID

    def sees(self, collection: str) -> bool:
        """Whether items of the collection may be inside."""
        return self.collections is None or collection in self.collections

    def may_touch(self, collection: str, item: str) -> bool:
        """Whether this item of this collection is inside, be there such an item or not."""
        is_seen = self.collections is None or collection in self.collections
        return is_seen and item.startswith(self.prefixes)

    def prefixes_within(self, wanted: str) -> tuple[str, ...]:
        """The prefixes of the ids inside that begin with what is wanted; none where no id does."""
        return narrowed(self.prefixes, wanted)

    def __str__(self) -> str:
        """The same text for the same scope, whichever process makes it."""
        return json.dumps(self.as_dict())

    def as_dict(self) -> dict[str, list[str]]:
        """What a token's row has of it; scope_of reads it."""
        row = {}
        if self.collections is not None:
            row["collections"] = sorted(self.collections)
        if not self.has_every_id:
            row["prefixes"] = list(self.prefixes)
        return row


WHOLE = Scope()


def scope_of(row: Mapping[str, Any]) -> Scope:
    """The scope that a token's row describes.

    Raises ValueError where it can't be read. That is so for an empty list too: who emptied it by
    hand did not mean everything.
    """
    collections = _texts(row, "collections", MOST_COLLECTIONS)
    prefixes = _texts(row, "prefixes", MOST_PREFIXES)
    return Scope(
        None if collections is None else frozenset(collections),
        EVERY_ID if prefixes is None else collapsed(map(_prefix, prefixes)),
    )


def _texts(row: Mapping[str, Any], name: str, most: int) -> Iterable[str] | None:
    """The texts that a row has under a name, None where it does not have the name."""
    if name not in row:
        return None
    texts = row[name]
    is_read = isinstance(texts, list) and all(isinstance(each, str) and each for each in texts)
    if not is_read or not 1 <= len(texts) <= most:
        raise ValueError(name)
    return list(texts)


def _prefix(text: str) -> str:
    try:
        return prefix_of(text.encode())
    except InvalidItemId as error:
        raise ValueError(text) from error
