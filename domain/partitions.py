"""Which of a store's partitions an item is in: by its id alone, as a cluster places keys."""

from __future__ import annotations

from binascii import crc_hqx

SLOTS = 16_384
"""The slots that a Redis or Valkey Cluster has."""

MOST = 1024
"""Partitions that a store may have; each costs every process a few connections."""


def key_slot(text: str) -> int:
    """The slot of a key, as `CLUSTER KEYSLOT` gives it: CRC16 (XMODEM) modulo 16384.

    What stands between the first brace and the next closing one counts alone, unless that is
    nothing: the hash tag of the Redis Cluster specification.
    """
    key = text.encode()
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def partition_of(item: str, partitions: int) -> int:
    """The number of the partition that an item is in, of so many; from 0."""
    return 0 if partitions == 1 else key_slot(item) % partitions
