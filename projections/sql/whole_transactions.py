"""Batches that end with a whole transaction: who reads the tables sees all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.reader import Entry

_META = 9
"""Where an event's meta is among its fields."""


async def with_the_rest(entries: Sequence[Entry], reader: LogReader) -> Sequence[Entry]:
    """The entries, and what the log has after them of the last one's transaction.

    Its events stand together in the log, and there were all of them at once.
    """
    transaction = _transaction_of(entries[-1])
    if transaction is None:
        return entries
    rest: list[Entry] = []
    async with aclosing(reader.slices(entries[-1][0].decode())) as log:
        async for more in log:
            for entry in more:
                if _transaction_of(entry) != transaction:
                    return [*entries, *rest]
                rest.append(entry)
    return [*entries, *rest]


def _transaction_of(entry: Entry) -> Any:
    """What the events of its transaction share, None without one."""
    meta = entry[1][_META] if len(entry[1]) > _META else b""
    if b'"transaction"' not in meta:
        return None
    try:
        return json.loads(meta)["transaction"]
    except (ValueError, RecursionError, LookupError, TypeError):  # it is no event of this store
        return None
