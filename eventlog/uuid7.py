"""Ids that nobody chose: of items that are posted, and of transactions."""

from __future__ import annotations

import os
import time
from binascii import crc_hqx
from uuid import UUID

from itemstore.domain.partitions import SLOTS


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def uuid7_in(partition: int, partitions: int) -> str:
    """The text of one that is in this partition, of so many, if it is an item's id.

    As many are tried as there are partitions, on the average; only the last four digits differ.
    """
    while True:
        text = str(uuid7())
        begun, end = text[:-_DIGITS], int(text[-_DIGITS:], 16)
        checksum = crc_hqx(begun.encode(), 0)  # of its beginning, which key_slot would go on from
        for number in range(end, end + _TRIES):
            tail = f"{number % _TRIES:0{_DIGITS}x}"
            if crc_hqx(tail.encode(), checksum) % SLOTS % partitions == partition:
                return begun + tail


_DIGITS = 4
_TRIES = 16**_DIGITS
