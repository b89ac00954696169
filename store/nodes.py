"""The servers that a store's partitions are on, and which of them take no write now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from itemstore.engine.errors import LogUnavailable
from itemstore.store.store import Store

SHOWN = 8
"""Numbers of partitions that a sentence names."""


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A partition that takes no write, the address of its node, where it has one, and why."""

    partition: int
    node: str | None
    reason: str


class NotWritable(LogUnavailable):
    """Some of a store's partitions take no write now; what is in the others goes on."""

    def __init__(self, unwritable: Sequence[Unwritable], partitions: int, retry_after: int) -> None:
        super().__init__(_sentence(unwritable, partitions), retry_after)
        self.unwritable = unwritable


def node_of(store: Store, number: int) -> str | None:
    """The address of the node that has a partition, as was last heard; None where none has it."""
    return store.clients.address_of(store.sections[number].keys.tag)


def partitions_by_node(store: Store) -> dict[str | None, list[int]]:
    """The numbers of the partitions that each node has, as was last heard."""
    found: dict[str | None, list[int]] = {}
    for number in range(len(store.sections)):
        found.setdefault(node_of(store, number), []).append(number)
    return found


def not_writable(store: Store, errors: Mapping[int, Exception]) -> NotWritable:
    """What the errors of partitions with these numbers, one at least, are together."""
    return NotWritable(_unwritable(store, errors), len(store.sections), _soonest(errors))


def away_from(store: Store, errors: Mapping[int, Exception]) -> LogUnavailable:
    """What the errors of partitions that are not reached are together."""
    found = _unwritable(store, errors)
    are = "is" if len(found) == 1 else "are"
    count = f"{len(found)} of {len(store.sections)} partitions {are} away"
    return LogUnavailable(f"{count}. {_where(found)}.", _soonest(errors))


def _unwritable(store: Store, errors: Mapping[int, Exception]) -> list[Unwritable]:
    return [
        Unwritable(number, node_of(store, number), str(error))
        for number, error in sorted(errors.items())
    ]


def _soonest(errors: Mapping[int, Exception]) -> int:
    return max(getattr(error, "retry_after", 60) for error in errors.values())


def _sentence(unwritable: Sequence[Unwritable], partitions: int) -> str:
    take = "takes" if len(unwritable) == 1 else "take"
    return (
        f"{len(unwritable)} of {partitions} partitions {take} no write now. {_where(unwritable)}."
    )


def _where(unwritable: Sequence[Unwritable]) -> str:
    """The numbers of partitions, for each node and reason."""
    alike: dict[tuple[str | None, str], list[int]] = {}
    for each in unwritable:
        alike.setdefault((each.node, each.reason), []).append(each.partition)
    return "; ".join(
        f"{_listed(numbers)} at {node or 'no node'}: {reason.removesuffix('.')}"
        for (node, reason), numbers in alike.items()
    )


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN]))
    more = len(numbers) - SHOWN
    return shown if more <= 0 else f"{shown} and {more} more"
