"""What the append script is told of a batch: its collections, its transactions, its commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from itemstore.engine.dedicated_connection import Argument
from itemstore.eventlog.append import Append, Check
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.transaction import Transaction

Call = Append | Transaction
"""What one caller asks for."""


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """The keys of the collections, and the arguments from the collections' numbers on."""

    keys: list[str]
    arguments: list[Argument]

    @classmethod
    def of(cls, batch: Sequence[Call]) -> ScriptCall:
        """That of several calls. See append.lua."""
        numbers: dict[Keys, int] = {}
        places: list[int] = []
        transactions: list[str] = []
        commands: list[Argument] = []
        last, place = None, 0
        for call in batch:
            if isinstance(call, Transaction):
                transactions.append(f"{len(places) + 1}:{len(call.commands)}")
            for command in _commands_of(call):
                if command.keys is not last:  # to look it up takes longer
                    last = command.keys
                    place = numbers.setdefault(last, len(numbers) + 1)
                places.append(place)
                commands += command.arguments
        keys = [name for each in numbers for name in (each.events, each.current, each.ids)]
        numbered = " ".join(map(str, places)) if len(numbers) > 1 else ""
        histories = [each.histories for each in numbers]
        return cls(keys, [numbered, " ".join(transactions), *histories, *commands])


def lines_of_each(batch: Sequence[Call], lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The lines of the script's reply for each of the calls."""
    if len(batch) == len(lines):
        yield from zip(lines)
        return
    start = 0
    for call in batch:
        end = start + len(_commands_of(call))
        yield lines[start:end]
        start = end


def _commands_of(call: Call) -> Sequence[Append | Check]:
    return call.commands if isinstance(call, Transaction) else (call,)
