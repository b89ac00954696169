"""Which partition an item is in: what a cluster says of a key, modulo the partitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot as slot_of_redis

from itemstore.domain.partitions import SLOTS, key_slot, partition_of

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
IN_BRACES = st.text("{}ab", max_size=12)


@given(IDS | IN_BRACES)
def test_the_slot_is_the_one_that_a_cluster_gives(item: str) -> None:
    """By the same rule for hash tags."""
    assert key_slot(item) == slot_of_redis(item.encode())


@pytest.mark.parametrize(
    ("item", "slot"),
    [("123456789", 12_739), ("foo", 12_182), ("{foo}.bar", 12_182), ("{}x", 10_595)],
)
def test_slots_that_are_known(item: str, slot: int) -> None:
    """The first is the test of the specification of Redis Cluster: 0x31C3."""
    assert key_slot(item) == slot


@given(IDS, st.integers(1, 1024))
def test_a_partition_is_one_of_so_many(item: str, partitions: int) -> None:
    """And with twice as many an item stays, or goes to the one that is so much further."""
    number = partition_of(item, partitions)
    assert 0 <= number < partitions
    if partitions * 2 <= SLOTS:
        assert partition_of(item, partitions * 2) % partitions == number or SLOTS % partitions


@given(IDS, IDS, st.integers(1, 64))
def test_ids_with_the_same_hash_tag_are_in_one_partition(one: str, two: str, count: int) -> None:
    """Whatever else they have."""
    one, two = one.replace("{", ""), two.replace("{", "")
    assert partition_of(f"{one}{{tag}}", count) == partition_of(f"{two}{{tag}}x", count)
