"""The transaction that an event of an archive stands in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from itemstore.eventlog.codec import decode_meta
from itemstore.eventlog.past import Past
from itemstore.eventlog.reader import Entry, Within

TRANSACTION = 128
"""Events that one transaction has at most."""


async def transaction_around(
    past: Past, names: Sequence[str], end: str, last: str
) -> tuple[str, str] | None:
    """The position before the transaction that an event is in, and that of its last event.

    None where the event is in none, or is its last.
    """
    [*_, entry] = await _entries(past, names, await past.before_last(names, 1, end), end)
    transaction = _transaction_of(entry)
    rest = await _following(past, names, end, last, transaction)
    if transaction is None or not rest:
        return None
    start = await past.before_last(names, TRANSACTION + 1, end)
    before = await _entries(past, names, start, end)
    own = _leading([*reversed(before)], transaction)
    earlier = before[: len(before) - len(own)]
    return (earlier[-1][0].decode() if earlier else start), rest[-1][0].decode()


async def _following(
    past: Past, names: Sequence[str], after: str, last: str, transaction: str | None
) -> list[Entry]:
    """The entries right after a position that are of a transaction."""
    found: list[Entry] = []
    while True:
        part = await past.part_after(names, after, last, Within(TRANSACTION, TRANSACTION))
        some = _leading(part.entries, transaction)
        found += some
        if len(some) < len(part.entries) or part.is_end or transaction is None:
            return found
        after = part.position


async def _entries(past: Past, names: Sequence[str], after: str, up_to: str) -> list[Entry]:
    entries: list[Entry] = []
    async with aclosing(past.slices(names, after, up_to)) as parts:
        async for part in parts:
            entries += part.entries
    return entries


def _leading(entries: Sequence[Entry], transaction: str | None) -> list[Entry]:
    """The first entries, as far as they are of a transaction."""
    found = []
    for entry in entries:
        if _transaction_of(entry) != transaction:
            break
        found.append(entry)
    return found


def _transaction_of(entry: Entry) -> str | None:
    fields = entry[1]
    if fields[8:9] != [b"meta"]:
        return None
    try:
        return decode_meta(fields[9]).get("transaction")
    except ValueError:
        return None
