"""What a transaction became, read again by its idempotency key."""

from __future__ import annotations

from collections import defaultdict

from redis.asyncio import Redis

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.append import Checked
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.idempotency import IdempotencyKey, KeyReused, held_by, is_outcome
from itemstore.eventlog.keys import StoreKeys, keys_of_log
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import Past
from itemstore.eventlog.transaction import Outcome


async def outcomes(
    client: Redis, keys: StoreKeys, key: IdempotencyKey, past: Past | None = None
) -> list[Outcome] | None:
    """What each command of the transaction with this key became, in order.

    None where it is not known, and where one of its events was removed (XDEL, XTRIM). Raises
    KeyReused where the key stands for another request, and LogUnavailable.
    """
    held = await held_by(client, keys, key)
    if not is_outcome(held):
        return None
    fingerprint, *lines = held.split("\n")
    if fingerprint != key.fingerprint:
        raise KeyReused
    found = [_of_line(line) for line in lines]
    positions: dict[str, list[bytes]] = defaultdict(list)
    for each in found:
        if not isinstance(each, Checked):
            log, position = each
            positions[log].append(position)
    events: dict[bytes, RecordedEvent] = {}
    for log, some in positions.items():
        log_of = Partition(client, keys_of_log(log, keys), past)
        events |= await _events_at(log_of, some)
    if len(events) < sum(map(len, positions.values())):
        return None
    return [each if isinstance(each, Checked) else events[each[1]] for each in found]


def _of_line(line: str) -> Checked | tuple[str, bytes]:
    """A check, or an event's log and position; see append.lua."""
    if line.startswith("checked "):
        state, item = _split_check(line)
        return Checked.of(item, state)
    _, _, position, log = line.split(" ", 3)
    return log, position.encode()


def _split_check(line: str) -> tuple[str, str]:
    words = 2 if line.startswith("checked -") else 3
    *state, item = line.split(" ", words)
    return " ".join(state), item


async def _events_at(partition: Partition, positions: list[bytes]) -> dict[bytes, RecordedEvent]:
    """The events at these positions of one log, without those that were removed."""
    reader, found, done = partition.reader, {}, 0
    while done < len(positions):
        entries, looked = await reader.entries_at(positions[done:])
        done += looked
        for position, fields in entries:
            found[position] = decode_flat(
                position, fields, reader.collection, partition.keys.partition
            )
    return found
