"""The calls of one client: about the items of a collection, with bodies of one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Unpack

from itemstore.client.answers import BatchResult, Body, Event, ItemVersion, VersionEntry
from itemstore.client.batch import Operation, batch
from itemstore.client.bodies import Bodies, plain
from itemstore.client.events import Events, Which, wanted
from itemstore.client.exchange import Call, Course
from itemstore.client.items import Items
from itemstore.client.lists import Lists, Query
from itemstore.client.options import Options, access_of
from itemstore.client.retries import Retries


class Calls(Generic[Body]):
    """What both clients have carried out, each in its own way."""

    def __init__(self, url: str, model: type[Body] | None, options: Options) -> None:
        """Raises ValueError for what is no URL, TypeError for a model that pydantic can't read."""
        self.url, self.options = url, options
        self.access = access_of(url, options)
        self._retries = options.get("retries", Retries())
        self._collection = options.get("collection", "items")
        bodies = Bodies(model)
        self.items = Items(self._collection, bodies, self._retries)
        self.lists = Lists(self.items.path, bodies, self._retries)
        self._events = Events(bodies, self._retries)

    def rows(
        self, fields: str | Sequence[str], page_size: int, **query: Unpack[Query]
    ) -> Course[ItemVersion[dict[str, Any]]]:
        """Items with some members of each body, as dicts."""
        return Lists(self.items.path, plain(), self._retries).all(page_size, fields, **query)

    def batch(
        self, operations: Sequence[Operation], idempotency_key: str | None
    ) -> Call[list[BatchResult]]:
        """Several requests in one moment."""
        prefix = self.access.prefix
        return batch(self.items, self._retries, prefix, operations, idempotency_key)

    def versions(self, item_id: str) -> Course[VersionEntry]:
        """An item's versions. Raises InvalidId at once."""
        return self.lists.versions(self.items.at(item_id))

    def history(self, item_id: str, *, newest_first: bool) -> Course[Event[Body]]:
        """An item's own events. Raises InvalidId at once."""
        return self._events.of_item(self.items.at(item_id), newest_first=newest_first)

    def events(self, **which: Unpack[Which]) -> Course[Event[Body]]:
        """The events of the collection that there are now."""
        return self._events.to_the_end(wanted(self._collection, **which))

    def follow(
        self, idle: float, give_up_after: float | None, **which: Unpack[Which]
    ) -> Course[Event[Body]]:
        """The events of the collection, and what comes."""
        return self._events.follow(wanted(self._collection, **which), idle, give_up_after)

    def follow_all(
        self,
        collections: Sequence[str],
        idle: float,
        give_up_after: float | None,
        **which: Unpack[Which],
    ) -> Course[Event[dict[str, Any]]]:
        """Those of several collections, or of all, with bodies as dicts."""
        events = Events(plain(), self._retries)
        return events.follow(wanted(*collections, **which), idle, give_up_after)
