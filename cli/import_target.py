"""Where the lines of an import go: each to the collection that its `source` names."""

from __future__ import annotations

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.importing import ForeignEvent, ImportRefused, Step
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import archived
from itemstore.eventlog.reader import Extent, FeedReader
from itemstore.store.known_collections import known_names, remember
from itemstore.store.named_collections import is_name
from itemstore.store.opening import begin
from itemstore.store.store import Store


class Target:
    """The collections that are imported into.

    `ends` has the position at which the log of each ends, by name, as of when this was made, and
    `used` the names of those that lines go to. `others` are those with events that none goes to:
    the store's other collections. A new store, which was told of no collections, has
    those that the lines name.
    """

    def __init__(
        self, store: Store, ends: dict[str, str], only: str | None, *, is_new: bool
    ) -> None:
        self.ends = ends
        self.used: set[str] = set()
        self.others: dict[str, Extent] = {}
        self._store = store
        self._first = next(iter(ends))
        self._only = only
        self._is_new = is_new

    @classmethod
    async def of(cls, store: Store, only: str | None) -> Target:
        """All collections of a store, or only one, to which all lines go.

        Raises NoSuchCollection, LogUnavailable and LogBroken.
        """
        chosen = store.chosen(None if only is None else [only])
        ends = {name: await each.items.as_of() for name, each in chosen.items()}
        is_told = only is not None or store.settings.collections is not None
        known = await known_names(store.partition.client, store.keys)
        target = cls(store, ends, only, is_new=not (is_told or known))
        for name in {*known, *store.collections} - ends.keys():
            extent = await target.partition(name).reader.extent()
            if extent.length:
                target.others[name] = extent
        return target

    @property
    def end(self) -> str:
        """The last position in any of the logs."""
        return max(self.ends.values(), key=key_of)

    @property
    def option(self) -> str:
        """What an import that goes on has to be told."""
        return f" --collection {self._only}" if self._only else ""

    @property
    def log(self) -> FeedReader:
        """What is in the logs already."""
        return self._store.feed.of(self.ends).reader

    def partition(self, name: str) -> Partition:
        """That of one of the collections."""
        return Partition(self._store.partition.client, self._store.keys.collection(name))

    async def check_free(self, step: Step) -> None:
        """Raises ImportRefused where another collection has an event at one of the positions.

        A position is given once in a store.
        """
        for name, extent in self.others.items():
            first, last = key_of(extent.first), key_of(extent.last)
            left = [each for each in step.positions if first <= key_of(each) <= last]
            reader = self.partition(name).reader
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

    async def archived(self) -> str:
        """The position up to which no event may come in, START where there is none."""
        partition = self._store.partition
        return await archived(partition.client, partition.keys.store)

    async def begin(self) -> None:
        """Writes down that the store has the collections. Raises what a failing engine raises."""
        names = self.used or {*self.ends}
        await begin(self._store)
        await remember(self._store, names)

    async def ends_now(self) -> dict[str, str]:
        """The position at which each log ends now. Raises LogUnavailable and LogBroken."""
        return {name: await self.partition(name).reader.last_position() for name in self.ends}

    def collection_of(self, event: ForeignEvent) -> str:
        """The collection that an event goes to. Raises ImportRefused where the store has none."""
        name = self._only or self._named_by(event)
        self.ends.setdefault(name, START)
        self.used.add(name)
        return name

    def _named_by(self, event: ForeignEvent) -> str:
        """The collection that its `source` names.

        Where there is only one, it has what is from elsewhere too: what names none, or has no
        position for an `id`. A new store that began with such a line has only one.
        """
        name = self._name_in(event.source)
        if name in self.ends:
            return str(name)
        if name is not None and event.position is not None:
            if self._is_new:
                return name
        elif len(self.ends) == 1:
            self._is_new = False
            return self._first
        raise ImportRefused(event.line, self._why_nowhere(event.source))

    def _why_nowhere(self, source: str | None) -> str:
        there_are = ", ".join(self.ends)
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
        return name if name in self.ends or is_name(name) else None
