"""What is handed over: the events in entries of a log, and the time at which that is done."""

from __future__ import annotations

import time

from itemstore.domain.events import RecordedEvent
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.codec import MalformedEntry, decode_flat, without_meta
from itemstore.eventlog.partition import Partition


def decoded(partition: Partition, place: bytes, fields: list[bytes]) -> RecordedEvent | None:
    """The event in an entry, also where its meta is wrong; None where it is none."""
    of = partition.keys
    try:
        return decode_flat(place, fields, of.collection, of.partition)
    except MalformedEntry:
        return without_meta(place, fields, of.collection, of.partition)


def now_text() -> str:
    """Now, as JSON has times."""
    return rfc3339(f"{int(time.time() * 1000)}-0")
