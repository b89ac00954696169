"""One store, opened: its collections, on one engine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import Clients, OneEngine
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.appends import Appends
from itemstore.eventlog.claims import Claims
from itemstore.eventlog.feed import Feed, OrderedFeed
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.partitioned_appender import PartitionedAppender
from itemstore.eventlog.partitioned_feed import PartitionedFeed
from itemstore.eventlog.partitioned_log import PartitionedLog
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from itemstore.projections.partitioned_items import PartitionedItems
from itemstore.store.collection import Collection
from itemstore.store.layout import keys_of
from itemstore.store.named_collections import collection_names
from itemstore.store.own_past import OwnPast
from itemstore.store.settings import Settings
from itemstore.store.sharing import Sharing


class NoSuchCollection(Exception):
    """The store has no collection of this name."""

    def __init__(self, name: str, there_are: Iterable[str]) -> None:
        super().__init__(f"The store has no collection {name!r}; it has {', '.join(there_are)}.")


@dataclass(frozen=True, slots=True)
class Store:
    """The collections of one namespace, by name, in the order of the setting.

    `appender` is the way into the logs of all of them, and `feed` has these as one. `clients` know
    the servers of the engine. `disk` is where the engine has its data, if that is the embedded one.
    `archive` has the logs for ever, where there is one; of several partitions each has its own.
    `is_own` where this process runs the engine for itself: then nobody else has it, and nobody
    writes. `url` is where other processes find the engine, where that is known.

    One of several partitions is made of sections: a store for each, with the same collections, an
    archive of its own, and an order of its own.
    """

    collections: Mapping[str, Collection]
    appender: Appends
    feed: Feed
    settings: Settings
    disk: DiskSpace
    clients: Clients
    archive: Archive | None = None
    is_own: bool = False
    url: str | None = None
    _sections: tuple[Store, ...] = ()

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
        url: str | None = None,
        number: int | None = None,
        sharing: Sharing | None = None,
    ) -> Store:
        """The store that the engine of this client holds, with its data where `disk` is.

        `names` are those of its collections, where the settings don't say. With a number it is that
        partition of one that has several, which have the same `sharing`.
        """
        terms = Terms(
            settings.max_waiting, settings.idempotency_seconds, settings.acknowledgement, disk
        )
        keys = keys_of(settings, number)
        past = OwnPast(archive, redis, keys) if archive else None
        shared, reader = (sharing or Sharing(settings.max_waiting)).on(redis)
        appender = Appender(redis, keys, terms, past, shared)
        collections = {}
        for name in names or collection_names(settings.collections):
            partition = Partition(redis, keys.collection(name), past)
            items = CurrentItems(partition, reader=reader)
            log = EventLog(partition, terms, appender)
            collections[name] = Collection(name, (partition,), log, items)
        feed = OrderedFeed.on([each.partition for each in collections.values()])
        clients = OneEngine(redis)
        return cls(collections, appender, feed, settings, disk, clients, archive, is_own, url)

    @classmethod
    def of(cls, sections: Sequence[Store]) -> Store:
        """The store that has these sections; where it is one, that itself."""
        first, *others = sections
        if not others:
            return first
        places = [(each.partition.client, each.keys) for each in sections]
        claims = Claims(places, first.settings.idempotency_seconds)
        collections = {
            name: Collection(
                name,
                tuple(each.collections[name].partition for each in sections),
                PartitionedLog([each.collections[name].log for each in sections], claims),
                PartitionedItems([each.collections[name].items for each in sections]),
            )
            for name in first.collections
        }
        appender = PartitionedAppender([each.appender for each in sections], claims)
        feed = PartitionedFeed.on(
            [[each.partition for each in one.collections.values()] for one in sections]
        )
        return replace(
            first,
            collections=collections,
            appender=appender,
            feed=feed,
            archive=None,
            _sections=tuple(sections),
        )

    @property
    def sections(self) -> Sequence[Store]:
        """A store for each partition; where there is one, this itself."""
        return self._sections or (self,)

    def section_of(self, item: str) -> Store:
        """The one of the partition that an item is in."""
        return self.sections[partition_of(item, len(self.sections))]

    @property
    def has_partitions(self) -> bool:
        """Whether there are several."""
        return len(self.sections) > 1

    @property
    def is_archived(self) -> bool:
        """Whether this process has a place for its archive, or for those of its partitions."""
        return self.archived_at is not None

    @property
    def archived_at(self) -> str | None:
        """That place, for people."""
        archive = self.sections[0].archive
        if archive is None:
            return None
        return archive.place if archive.whole is None else archive.whole.place

    @property
    def keys(self) -> StoreKeys:
        """Those of what belongs to the whole store."""
        return self.partition.keys.store

    @property
    def partition(self) -> Partition:
        """The first of the first collection: what belongs to the whole store is reached by it."""
        return self._first.partitions[0]

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
