"""The names of all keys. Nothing outside this module makes one.

A namespace stands in front of each key of a store, so that several stores can share an engine. One
with a hash tag in it, such as `{shop}`, keeps all of them in one slot of a cluster.

In a store with several partitions the keys of each have its number as their hash tag, `{5}`, and so
are in one slot. What belongs to the whole store is with those of partition 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.domain.events import ITEMS


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The keys of what belongs to the whole store, and not to one of its collections.

    `partition` is the number of the partition that they are for, None where the store has one.
    """

    namespace: str = ""
    partition: int | None = None

    def collection(self, name: str) -> Keys:
        """Those of a collection of the store, in the same partition."""
        return Keys(name, self.namespace, self.partition)

    @property
    def layout(self) -> str:
        """What the store is: the id of its log, its collections, its partitions. A hash."""
        return self._named("layout")

    @property
    def tokens(self) -> str:
        """The bearer tokens: a hash from name to role and digest."""
        return self._named("tokens")

    @property
    def position(self) -> str:
        """The last position given in the store, in whichever log: a string."""
        return self._named("position")

    @property
    def archive(self) -> str:
        """How the archive stands: a hash.

        `archive` is its id, `border` the position up to which it is asked and not the streams,
        `sealed` the one up to which it holds all, and `claimed` the one up to which an archiver has
        begun to copy: nothing may come into the logs up to there. `manifest` is the number of the
        manifest by which the border was moved, and `mark` says which event that is.
        """
        return self._named("archive")

    @property
    def restoring(self) -> str:
        """What is being restored into the engine, and how far that is: a hash.

        It goes once the store is complete.
        """
        return self._named("restoring")

    @property
    def operations(self) -> str:
        """What an admin has started over HTTP, and what came of it: a hash from id to JSON."""
        return self._named("operations")

    def lease(self, work: str) -> str:
        """Who does what only one may do at a time for the whole store: a string with a lifetime."""
        return self._named(f"lease:{work}")

    def idempotency(self, scope: str) -> str:
        """The outcome of a request under a caller's idempotency key: a string with a lifetime."""
        return self._named(f"idempotency:{scope}")

    def writer(self, writer: str) -> str:
        """A writer's last batch number and the reply to it: a string with a lifetime."""
        return self._named(f"writers:{writer}")

    def _named(self, name: str) -> str:
        return _prefixed(self.front, f"{OWN}:{name}")

    @property
    def front(self) -> str:
        """What stands in front of each key, without its colon: namespace and hash tag."""
        return front_of(self.namespace, self.partition)

    @property
    def tag(self) -> str | None:
        """The hash tag of all of them, in one slot; None where they have none."""
        return hash_tag(self.front)


OWN = "itemstore"
"""What stands where a collection's name would: no collection is called so."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one collection, in the partition with this number; None for the only one."""

    collection: str = ITEMS
    namespace: str = ""
    partition: int | None = None

    @property
    def store(self) -> StoreKeys:
        """Those of the store that the collection is in."""
        return StoreKeys(self.namespace, self.partition)

    @property
    def prefix(self) -> str:
        """What each of them begins with."""
        is_only = self.partition is None  # each write asks a few times
        front = self.namespace if is_only else front_of(self.namespace, self.partition)
        return _prefixed(front, self.collection)

    @property
    def events(self) -> str:
        """The log: a stream."""
        return f"{self.prefix}:events"

    @property
    def trimmed(self) -> str:
        """How many events were taken out of the log because the archive has them: a string."""
        return f"{self.prefix}:trimmed"

    @property
    def current(self) -> str:
        """The current items: a hash from id to row."""
        return f"{self.prefix}:current"

    @property
    def ids(self) -> str:
        """The ids of the items that exist: a sorted set, all scores 0."""
        return f"{self.prefix}:ids"

    @property
    def histories(self) -> str:
        """The prefix in front of an id that makes the key of its history, a list of positions."""
        return f"{self.prefix}:history:"

    def history(self, item: str) -> str:
        """The positions of those of an item's events that are in the engine, oldest first: a list.

        Versions are dense, so they are the item's last ones.
        """
        return self.histories + item

    def lease(self, work: str) -> str:
        """Who does the work that only one may do at a time: a string with a lifetime."""
        return f"{self.prefix}:lease:{work}"

    @property
    def rebuilds(self) -> str:
        """The tokens of the rebuilds that may have left something to clear away: a set."""
        return f"{self.prefix}:rebuilds"

    def shadow(self, token: str) -> Keys:
        """The keys that a rebuild works in: those of a collection within this one."""
        return self.store.collection(f"{self.collection}:rebuild:{token}")

    def aside(self, token: str) -> Keys:
        """Where a rebuild puts what its shadow takes the place of."""
        return self.store.collection(f"{self.collection}:rebuild:{token}:aside")

    @property
    def wrong_histories(self) -> str:
        """The items whose history a rebuild has found wrong: a set, within its shadow."""
        return f"{self.prefix}:wrong-histories"

    def counts(self, projection: str) -> str:
        """What a projection that counts has counted, and up to where: a hash."""
        return f"{self.prefix}:projection:{projection}"

    def handled(self, projection: str) -> str:
        """Up to where a projection has handled events, and what it fails at: a hash."""
        return f"{self.prefix}:handled:{projection}"

    def dead_letters(self, projection: str) -> str:
        """The events that a projection has set aside, JSON by their positions: a hash."""
        return f"{self.prefix}:dead-letters:{projection}"

    def retries(self, projection: str) -> str:
        """The positions of events set aside that are to be tried again: a list."""
        return f"{self.prefix}:retries:{projection}"

    @property
    def receipts(self) -> str:
        """The receipt of each projection's last rebuild, JSON: a hash."""
        return f"{self.prefix}:receipts"


def keys_of_log(events: str, store: StoreKeys) -> Keys:
    """The keys of the collection of a store with this log."""
    return store.collection(events.removeprefix(_prefixed(store.front, "")).removesuffix(":events"))


def front_of(namespace: str, partition: int | None) -> str:
    """The namespace, and the hash tag of a partition that is not the only one; both may be none."""
    return namespace if partition is None else _prefixed(namespace, f"{{{partition}}}")


def hash_tag(text: str) -> str | None:
    """What stands in the first braces of a text, and alone says which slot it is in; None if none.

    As the specification of Redis Cluster has it.
    """
    _, brace, rest = text.partition("{")
    tag, end, _ = rest.partition("}")
    return tag if brace and end and tag else None


def _prefixed(front: str, name: str) -> str:
    return f"{front}:{name}" if front else name


def pattern(prefix: str) -> str:
    """What SCAN takes for all keys that begin so."""
    return "".join(f"\\{sign}" if sign in "*?[]\\" else sign for sign in prefix) + "*"
