"""A transaction: commands that happen together or not at all, in one or more collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from itemstore.domain.commands import CheckItem, Command
from itemstore.domain.errors import CommandRefused
from itemstore.domain.events import RecordedEvent
from itemstore.domain.values import value
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.redis_errors import NO_POSITION
from itemstore.eventlog.append import Append, Check, Checked, Meta
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.uuid7 import uuid7

Outcome = RecordedEvent | Checked
"""What a command of a transaction became: an event, or for a check what was found."""


@value
class Addressed:
    """A command, and the collection that its item is in."""

    keys: Keys
    command: Command | CheckItem


class TransactionRefused(Exception):
    """One of its commands is refused, so nothing has happened.

    `index` counts from 0 and is that of the first that is, on what the ones before it would have
    left; `error` is what it would be refused with alone.
    """

    def __init__(self, index: int, error: CommandRefused | LogBroken) -> None:
        super().__init__(f"Command {index} of the transaction: {error}")
        self.index = index
        self.error = error


class Transaction:
    """Several commands on their way: what append.lua is told of each, and what its lines mean.

    The events get the same `transaction` in their meta, a new UUID.
    """

    __slots__ = ("commands", "size")

    def __init__(
        self, commands: Sequence[Addressed], known: Mapping[str, str], key: IdempotencyKey | None
    ) -> None:
        meta = Meta.of({**known, "transaction": str(uuid7())})
        self.commands = [
            _sent(each, meta, None if index else key) for index, each in enumerate(commands)
        ]
        self.size = sum(each.size for each in self.commands)

    def outcomes(self, lines: Sequence[bytes]) -> list[Outcome]:
        """What each command became. Raises TransactionRefused, AlreadyDone and LogUnavailable."""
        if lines[0] == b"ended":
            raise LogUnavailable(NO_POSITION)
        outcomes: list[Outcome] = []
        for index, (command, line) in enumerate(zip(self.commands, lines, strict=True)):
            if line == b"aborted":
                continue
            try:
                outcomes.append(command.outcome(line))
            except (CommandRefused, LogBroken) as error:
                raise TransactionRefused(index, error) from error
        return outcomes


def _sent(addressed: Addressed, meta: Meta, key: IdempotencyKey | None) -> Append | Check:
    if isinstance(addressed.command, CheckItem):
        return Check(addressed.keys, addressed.command, key)
    return Append(addressed.keys, addressed.command, meta, key)
