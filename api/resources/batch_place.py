"""The partition that a batch is in: all its items are, and so the ids that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itemstore.api.http.paths import item_id
from itemstore.api.http.request import Request
from itemstore.api.resources.batch_shape import (
    Unreadable,
    collection_and_segment,
    method_and_path,
)
from itemstore.domain.errors import DifferentPartitions
from itemstore.domain.ids import InvalidItemId
from itemstore.domain.partitions import partition_of
from itemstore.eventlog.uuid7 import uuid7, uuid7_in


class BatchPlace:
    """Where the items of a batch have to be, in a store of so many partitions.

    `partition` is None as long as any will do.
    """

    def __init__(self, partitions: int, partition: int | None = None) -> None:
        self._partitions = partitions
        self._partition = partition

    @classmethod
    def of(cls, request: Request, raws: Sequence[Any]) -> BatchPlace:
        """That of the first request that names its item; where none does, of the batch's key."""
        partitions = len(request.store.sections)
        if partitions == 1:
            return cls(1, 0)
        for raw in raws:
            if (item := _named(request, raw)) is not None:
                return cls(partitions, partition_of(item, partitions))
        key = request.idempotency
        return cls(partitions, None if key is None else key.home(partitions))

    def new_id(self) -> str:
        """An id that nobody chose, for an item of the batch."""
        if self._partitions == 1 or self._partition is None:
            return str(uuid7())
        return uuid7_in(self._partition, self._partitions)

    def check(self, index: int, item: str) -> None:
        """Raises DifferentPartitions for the item of a request, counted from 0, somewhere else."""
        there = partition_of(item, self._partitions)
        if self._partition is None:
            self._partition = there
        elif there != self._partition:
            raise DifferentPartitions(index, there, self._partition)


def _named(request: Request, raw: Any) -> str | None:
    """The id that a request of the batch names; None for one that can't be read, or names none."""
    try:
        method, path = method_and_path(raw)
        _, segment = collection_and_segment(request, method, path)
        return None if segment is None else item_id(segment)
    except (Unreadable, InvalidItemId):
        return None
