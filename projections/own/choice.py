"""Which events a projection is for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent

TYPES = tuple(kind.__name__ for kind in (ItemCreated, ItemUpdated, ItemDeleted))


@dataclass(frozen=True, slots=True)
class Choice:
    """Those of some collections, of every one without; and of some types, likewise."""

    collections: Collection[str] | None = None
    types: Collection[str] | None = None

    def __post_init__(self) -> None:
        for name in ("collections", "types"):
            if isinstance(named := getattr(self, name), str):
                message = f"{name} takes several names: write ({named!r},)."
                raise TypeError(message)
        for name in self.types or ():
            if name not in TYPES:
                message = f"types names {name!r}: there are {', '.join(TYPES)}."
                raise ValueError(message)

    def takes(self, recorded: RecordedEvent) -> bool:
        """Whether an event of one of the collections is of a type that is wanted."""
        return self.types is None or recorded.type in self.types
