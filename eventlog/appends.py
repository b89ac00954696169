"""The way into the logs of a store. Its kinds: `appender.py`, and `partitioned_appender.py`."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.engine.acknowledgement import NotYetDurable
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.transaction import Addressed, Outcome


@dataclass(frozen=True, slots=True)
class AppendCounts:
    """What a process has appended to a store: the partitions of one count in the same numbers.

    `appended` counts events by collection and type with a blank in between, and `batch_sizes` the
    batches of each size in which their commands went to the engine.
    """

    appended: Counter[str] = field(default_factory=Counter)
    batch_sizes: Counter[int] = field(default_factory=Counter)

    def count(self, recorded: RecordedEvent) -> None:
        """Counts an event that was appended."""
        self.appended[f"{recorded.collection} {recorded.type}"] += 1


class Appends(Protocol):
    """Appends transactions, and knows what became of them and of what else was appended."""

    counts: AppendCounts

    @property
    @abstractmethod
    def not_yet_durable(self) -> NotYetDurable | None:
        """Why the last batch was not as durable as wanted in time; None where it was."""

    @abstractmethod
    async def append_together(
        self,
        commands: Sequence[Addressed],
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> list[Outcome]:
        """What each of the commands became, all of which happen at one moment, or none."""

    @abstractmethod
    async def outcomes(self, key: IdempotencyKey) -> list[Outcome] | None:
        """What the commands of the transaction with this key became, None where it is not known."""

    @abstractmethod
    async def settle(self) -> None:
        """Waits until all that was appended is as durable as wanted; see durability.settle."""

    @abstractmethod
    async def settle_what_is_not(self) -> None:
        """The same where the last batch was not; once that is so it counts as durable."""

    @abstractmethod
    def tell(self, event: asyncio.Event) -> None:
        """Has an event set after each batch, for as long as somebody else keeps it."""
