"""One store, opened: its collections, on one engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from itemstore.projections.row_reader import RowReader
from itemstore.store.collection import Collection
from itemstore.store.named_collections import collection_names
from itemstore.store.own_past import OwnPast
from itemstore.store.settings import Settings


class NoSuchCollection(Exception):
    """The store has no collection of this name."""

    def __init__(self, name: str, there_are: Iterable[str]) -> None:
        super().__init__(f"The store has no collection {name!r}; it has {', '.join(there_are)}.")


@dataclass(frozen=True, slots=True)
class Store:
    """The collections of one namespace, by name, in the order of the setting.

    `appender` is the way into the logs of all of them, and `feed` has these as one. `disk` is where
    the engine has its data, if that is the embedded one. `archive` has the logs for ever, where
    there is one. `is_own` where this process runs the engine for itself: then nobody else has it,
    and nobody writes. `url` is where other processes find the engine, where that is known.
    """

    collections: Mapping[str, Collection]
    appender: Appender
    feed: Feed
    settings: Settings
    disk: DiskSpace
    archive: Archive | None = None
    is_own: bool = False
    url: str | None = None

    @classmethod
    def on(  # noqa: PLR0913 - what is opened, and what is known of it
        cls,
        redis: Redis,
        settings: Settings,
        disk: DiskSpace,
        *,
        names: Iterable[str] | None = None,
        archive: Archive | None = None,
        is_own: bool = False,
    ) -> Store:
        """The store that the engine of this client holds, with its data where `disk` is.

        `names` are those of its collections, where the settings don't say.
        """
        terms = Terms(
            settings.max_waiting, settings.idempotency_seconds, settings.acknowledgement, disk
        )
        keys = StoreKeys(settings.namespace or "")
        past = OwnPast(archive, redis, keys) if archive else None
        appender = Appender(redis, keys, terms, past)
        reader = RowReader(redis, waiting=settings.max_waiting)
        collections = {}
        for name in names or collection_names(settings.collections):
            partition = Partition(redis, Keys(name, settings.namespace or ""), past)
            items = CurrentItems(partition, reader=reader)
            log = EventLog(partition, terms, appender)
            collections[name] = Collection(name, partition, log, items)
        feed = Feed.on([each.partition for each in collections.values()])
        return cls(collections, appender, feed, settings, disk, archive, is_own)

    @property
    def partition(self) -> Partition:
        """That of the first collection: what belongs to the whole store is reached by any."""
        return self._first.partition

    def chosen(self, names: Iterable[str] | None) -> dict[str, Collection]:
        """The collections of these names, all of them without. Raises NoSuchCollection."""
        if not names:
            return dict(self.collections)
        wanted = {*names}
        if unknown := sorted(wanted - self.collections.keys()):
            raise NoSuchCollection(unknown[0], self.collections)
        return {name: each for name, each in self.collections.items() if name in wanted}

    @property
    def _first(self) -> Collection:
        return next(iter(self.collections.values()))
