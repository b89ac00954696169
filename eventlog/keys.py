"""The names of all keys. Nothing outside this module makes one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one namespace.

    The namespace stands in front of each, so a namespace with a hash tag in it, such as
    `{items}`, keeps all of them in one slot of a cluster.
    """

    namespace: str = "items"

    @property
    def events(self) -> str:
        """The log: a stream."""
        return f"{self.namespace}:events"

    @property
    def current(self) -> str:
        """The current items: a hash from id to row."""
        return f"{self.namespace}:current"

    @property
    def ids(self) -> str:
        """The ids of the items that exist: a sorted set, all scores 0."""
        return f"{self.namespace}:ids"

    @property
    def histories(self) -> str:
        """The prefix in front of an id that makes the key of its history, a list of positions."""
        return f"{self.namespace}:history:"

    def history(self, item: str) -> str:
        """The positions of one item's events, oldest first: a list."""
        return self.histories + item

    @property
    def layout(self) -> str:
        """What the store is: the id of its log. A hash."""
        return f"{self.namespace}:layout"

    @property
    def tokens(self) -> str:
        """The bearer tokens: a hash from name to role and digest."""
        return f"{self.namespace}:tokens"

    def idempotency(self, scope: str) -> str:
        """The outcome of a request under a caller's idempotency key: a string with a lifetime."""
        return f"{self.namespace}:idempotency:{scope}"

    def writer(self, writer: str) -> str:
        """A writer's last batch number and the reply to it: a string with a lifetime."""
        return f"{self.namespace}:writers:{writer}"

    def lease(self, work: str) -> str:
        """Who does the work that only one may do at a time: a string with a lifetime."""
        return f"{self.namespace}:lease:{work}"

    @property
    def rebuilds(self) -> str:
        """The tokens of the rebuilds that may have left something to clear away: a set."""
        return f"{self.namespace}:rebuilds"

    def shadow(self, token: str) -> Keys:
        """The keys that a rebuild works in: those of a namespace within this one."""
        return Keys(f"{self.namespace}:rebuild:{token}")

    def aside(self, token: str) -> Keys:
        """Where a rebuild puts what its shadow takes the place of."""
        return Keys(f"{self.namespace}:rebuild:{token}:aside")

    @property
    def wrong_histories(self) -> str:
        """The items whose history a rebuild has found wrong: a set, within its shadow."""
        return f"{self.namespace}:wrong-histories"

    def counts(self, projection: str) -> str:
        """What a projection that counts has counted, and up to where: a hash."""
        return f"{self.namespace}:projection:{projection}"

    @property
    def receipts(self) -> str:
        """The receipt of each projection's last rebuild, JSON: a hash."""
        return f"{self.namespace}:receipts"


def pattern(prefix: str) -> str:
    """What SCAN takes for all keys that begin so."""
    return "".join(f"\\{sign}" if sign in "*?[]\\" else sign for sign in prefix) + "*"
