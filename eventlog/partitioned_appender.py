"""The way into the logs of a store with several partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from itemstore.domain.errors import DifferentPartitions
from itemstore.engine.acknowledgement import NotYetDurable
from itemstore.eventlog.appends import Appends
from itemstore.eventlog.claims import Claims
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.transaction import Addressed, Outcome


class PartitionedAppender(Appends):
    """Those of the partitions: what happens together is in one of them."""

    def __init__(self, appenders: Sequence[Appends], claims: Claims) -> None:
        self._appenders = appenders
        self._claims = claims
        self.counts = appenders[0].counts  # all count in the same

    async def append_together(
        self,
        commands: Sequence[Addressed],
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> list[Outcome]:
        """What each of the commands became. Raises as the appender of one partition does.

        And DifferentPartitions where their items are not all in one, KeyReused and KeyInUse.
        """
        numbers = [each.keys.partition or 0 for each in commands]
        for index, number in enumerate(numbers):
            if number != numbers[0]:
                raise DifferentPartitions(index, number, numbers[0])
        appender = self._appenders[numbers[0]]
        if key is None:
            return await appender.append_together(commands, meta)
        return await self._claims.carried_out(
            key, numbers[0], lambda: appender.append_together(commands, meta, key)
        )

    async def outcomes(self, key: IdempotencyKey) -> list[Outcome] | None:
        """What the commands of the transaction with this key became, None where it is not known."""
        number = await self._claims.place_of_outcome(key)
        return None if number is None else await self._appenders[number].outcomes(key)

    @property
    def not_yet_durable(self) -> NotYetDurable | None:
        """Why the last batch of a partition was not as durable as wanted; None where all were."""
        return next(
            (each.not_yet_durable for each in self._appenders if each.not_yet_durable), None
        )

    async def settle(self) -> None:
        """Waits until all that was appended is as durable as wanted, in each partition."""
        await asyncio.gather(*(each.settle() for each in self._appenders))

    async def settle_what_is_not(self) -> None:
        """The same in the partitions whose last batch was not."""
        await asyncio.gather(*(each.settle_what_is_not() for each in self._appenders))

    def tell(self, event: asyncio.Event) -> None:
        """Has an event set after each batch in any partition."""
        for each in self._appenders:
            each.tell(event)
