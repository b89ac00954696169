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

    def idempotency(self, scope: str) -> str:
        """The outcome of a request under a caller's idempotency key: a string with a lifetime."""
        return f"{self.namespace}:idempotency:{scope}"

    def writer(self, writer: str) -> str:
        """A writer's last batch number and the reply to it: a string with a lifetime."""
        return f"{self.namespace}:writers:{writer}"
