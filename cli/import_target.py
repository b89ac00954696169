"""Where the lines of an import go: each to the collection that its `source` names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.importing import ForeignEvent, ImportRefused, Step, write_step
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import archived
from itemstore.eventlog.reader import Extent, FeedReader
from itemstore.store.beginning import begin
from itemstore.store.known_collections import known_names, remember
from itemstore.store.named_collections import is_name
from itemstore.store.store import Store


class Target:
    """The collections that are imported into.

    `ends` has, for each partition of the store, the positions at which the logs end, by the name of
    the collection, as of when this was made. `used` are the names of those that lines go to. A new
    store, which was told of no collections, has those that the lines name.
    """

    def __init__(
        self, store: Store, ends: Sequence[dict[str, str]], only: str | None, *, is_new: bool
    ) -> None:
        self.ends: list[Mapping[str, str]] = [*ends]
        self.used: set[str] = set()
        self._names = [*ends[0]]
        self._others: list[dict[str, Extent]] = [{} for _ in ends]
        self._sections = store.sections
        self._store = store
        self._only = only
        self._is_new = is_new

    @classmethod
    async def of(cls, store: Store, only: str | None) -> Target:
        """All collections of a store, or only one, to which all lines go.

        Raises NoSuchCollection, LogUnavailable and LogBroken.
        """
        chosen = store.chosen(None if only is None else [only])
        ends = [
            {name: await section.collections[name].items.as_of() for name in chosen}
            for section in store.sections
        ]
        is_told = only is not None or store.settings.collections is not None
        known = await known_names(store.partition.client, store.keys)
        target = cls(store, ends, only, is_new=not (is_told or known))
        for number, others in enumerate(target._others):
            for name in {*known, *store.collections} - chosen.keys():
                extent = await target.partitions(number, [name])[name].reader.extent()
                if extent.length:
                    others[name] = extent
        return target

    @property
    def end(self) -> str:
        """The last position in any of the logs."""
        return max((end for ends in self.ends for end in ends.values()), key=key_of)

    @property
    def option(self) -> str:
        """What an import that goes on has to be told."""
        return f" --collection {self._only}" if self._only else ""

    @property
    def logs(self) -> list[FeedReader]:
        """What is in the logs already, for each partition."""
        return [section.feed.of(self._names).reader for section in self._sections]

    def partitions(self, number: int, names: Iterable[str]) -> dict[str, Partition]:
        """Those of collections in the partition of the store with this number."""
        section = self._sections[number]
        client, keys = section.partition.client, section.keys
        return {name: Partition(client, keys.collection(name)) for name in names}

    def partition_of(self, collection: str, item: str) -> Partition:
        """That of an item."""
        number = partition_of(item, len(self._sections))
        return self.partitions(number, [collection])[collection]

    async def write(self, step: Step) -> None:
        """Writes a step. Raises as write_step does."""
        number = step.partition
        partitions = self.partitions(number, step.collections)
        self.ends[number] = await write_step(partitions, step, self.ends[number])

    async def check_free(self, step: Step) -> None:
        """Raises ImportRefused where another collection has an event at one of the positions.

        A position is given once in a partition.
        """
        for name, extent in self._others[step.partition].items():
            first, last = key_of(extent.first), key_of(extent.last)
            left = [each for each in step.positions if first <= key_of(each) <= last]
            reader = self.partitions(step.partition, [name])[name].reader
            while left:
                given, looked = await reader.entries_at(
                    [each.encode() for each in left], with_bodies=False
                )
                if given:
                    reason = (
                        f"/{name} has the event {given[0][0].decode()} already, and a position is "
                        "given once in a store. Use --append, which gives new ones, or remove that "
                        "collection first"
                    )
                    raise ImportRefused(step.line, reason)
                left = left[looked:]

    async def archived(self) -> list[str]:
        """For each partition the position up to which no event may come in, START if there is none.

        Raises LogUnavailable and LogBroken.
        """
        return [
            await archived(section.partition.client, section.keys) for section in self._sections
        ]

    async def begin(self) -> None:
        """Writes down that the store has the collections. Raises what a failing engine raises."""
        await begin(self._store)
        await remember(self._store, self.used or {*self._names})

    async def ends_now(self) -> list[dict[str, str]]:
        """The positions at which the logs end now. Raises LogUnavailable and LogBroken."""
        return [
            {
                name: await partition.reader.last_position()
                for name, partition in self.partitions(number, ends).items()
            }
            for number, ends in enumerate(self.ends)
        ]

    def collection_of(self, event: ForeignEvent) -> str:
        """The collection that an event goes to. Raises ImportRefused where the store has none."""
        name = self._only or self._named_by(event)
        self.use(name)
        return name

    def use(self, name: str) -> None:
        """Has a collection of this name, which may be a new one."""
        self.used.add(name)
        if name not in self._names:
            self._names.append(name)
            self.ends = [{**ends, name: START} for ends in self.ends]

    def _named_by(self, event: ForeignEvent) -> str:
        """The collection that its `source` names.

        Where there is only one, it has what is from elsewhere too: what names none, or has no
        position for an `id`. A new store that began with such a line has only one.
        """
        name = self._name_in(event.source)
        if name in self._names:
            return str(name)
        if name is not None and event.position is not None:
            if self._is_new:
                return name
        elif len(self._names) == 1:
            self._is_new = False
            return self._names[0]
        raise ImportRefused(event.line, self._why_nowhere(event.source))

    def _why_nowhere(self, source: str | None) -> str:
        there_are = ", ".join(self._names)
        if source is None:
            return (
                f"it has no source, and the store has several collections ({there_are}): "
                "put all lines into one with --collection NAME"
            )
        return (
            f"its source, {source!r:.80}, is none of the store's collections ({there_are}): "
            "name it in ITEMSTORE_COLLECTIONS, or put all lines into one with --collection NAME"
        )

    def _name_in(self, source: str | None) -> str | None:
        """The name of a collection in a `source`, None where there can be none."""
        if source is None or not source.startswith("/"):
            return None
        name = source[1:]
        return name if name in self._names or is_name(name) else None
