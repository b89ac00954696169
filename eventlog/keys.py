"""The names of all keys. Nothing outside this module makes one.

A namespace stands in front of each key of a store, so that several stores can share an engine. One
with a hash tag in it, such as `{shop}`, keeps all of them in one slot of a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.domain.events import ITEMS


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The keys of what belongs to the whole store."""

    namespace: str = ""

    @property
    def layout(self) -> str:
        """What the store is: the id of its log, its collections. A hash."""
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
        return _prefixed(self.namespace, f"{OWN}:{name}")


OWN = "itemstore"
"""What stands where a collection's name would: no collection is called so."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one collection."""

    collection: str = ITEMS
    namespace: str = ""

    @property
    def store(self) -> StoreKeys:
        """Those of the store that the collection is in."""
        return StoreKeys(self.namespace)

    @property
    def prefix(self) -> str:
        """What each of them begins with."""
        return _prefixed(self.namespace, self.collection)

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
        return Keys(f"{self.collection}:rebuild:{token}", self.namespace)

    def aside(self, token: str) -> Keys:
        """Where a rebuild puts what its shadow takes the place of."""
        return Keys(f"{self.collection}:rebuild:{token}:aside", self.namespace)

    @property
    def wrong_histories(self) -> str:
        """The items whose history a rebuild has found wrong: a set, within its shadow."""
        return f"{self.prefix}:wrong-histories"

    def counts(self, projection: str) -> str:
        """What a projection that counts has counted, and up to where: a hash."""
        return f"{self.prefix}:projection:{projection}"

    @property
    def receipts(self) -> str:
        """The receipt of each projection's last rebuild, JSON: a hash."""
        return f"{self.prefix}:receipts"


def keys_of_log(events: str, namespace: str) -> Keys:
    """The keys of the collection with this log."""
    collection = events.removeprefix(_prefixed(namespace, "")).removesuffix(":events")
    return Keys(collection, namespace)


def _prefixed(namespace: str, name: str) -> str:
    return f"{namespace}:{name}" if namespace else name


def pattern(prefix: str) -> str:
    """What SCAN takes for all keys that begin so."""
    return "".join(f"\\{sign}" if sign in "*?[]\\" else sign for sign in prefix) + "*"
