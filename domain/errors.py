"""Why a command is refused. A refusal appends nothing."""

from __future__ import annotations

from itemstore.domain.events import ITEMS
from itemstore.domain.expected import ExpectedVersion


class CommandRefused(Exception):
    """The command does not fit the item as it is. `item` is the id."""

    def __init__(self, item: str, sentence: str) -> None:
        super().__init__(sentence)
        self.item = item


class DifferentPartitions(Exception):
    """Commands can't happen together, as their items are in different partitions.

    `index` counts from 0 and is that of the first whose item is in another one than that of the
    first command: `partition`, and not `first`.
    """

    def __init__(self, index: int, partition: int, first: int) -> None:
        super().__init__(
            f"Command {index} is of an item in partition {partition}, the first of one in {first}."
        )
        self.index = index
        self.partition = partition
        self.first = first


class ItemNotFound(CommandRefused):
    """There is no such item in its collection.

    `deleted_version` is the version of its ItemDeleted, None where it never existed.
    """

    def __init__(
        self, item: str, deleted_version: int | None = None, *, collection: str = ITEMS
    ) -> None:
        super().__init__(item, f"There is no item {item!r}.")
        self.deleted_version = deleted_version
        self.collection = collection


class UnexpectedVersion(CommandRefused):
    """The item is not at the version that the command expected.

    `version` is the one it is at, None where it does not exist, or no longer does.
    """

    def __init__(self, item: str, expected: ExpectedVersion, version: int | None) -> None:
        actual = "absent" if version is None else f"at version {version}"
        super().__init__(item, f"Expected {expected}, but the item is {actual}.")
        self.expected = expected
        self.version = version
