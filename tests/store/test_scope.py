"""What a token is bound to, and the rows that say it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.eventlog.partition import Partition
from itemstore.store.scope import MOST_COLLECTIONS, MOST_PREFIXES, WHOLE, Scope, scope_of
from itemstore.store.tokens import (
    LastToken,
    Role,
    Token,
    TokenExpired,
    create,
    read_token,
    read_tokens,
    revoke,
)

ROW = {"role": "admin", "digest": hashlib.sha256(b"secret").hexdigest(), "created": "now"}
BOTH = Scope(frozenset({"notes", "orders"}), ("eu/", "us/"))
PAST = datetime(2026, 1, 1, tzinfo=UTC)


async def token(partition: Partition, name: str = "ann") -> Token:
    """The token of this name, which is there."""
    found = await read_token(partition, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("scope", "collection", "item", "may"),
    [
        (WHOLE, "orders", "us/1", True),
        (BOTH, "orders", "us/1", True),
        (BOTH, "notes", "eu/", True),
        (BOTH, "notes", "eu", False),
        (BOTH, "notes", "EU/1", False),
        (BOTH, "products", "us/1", False),
        (Scope(frozenset({"notes"})), "notes", "x", True),
        (Scope(frozenset({"notes"})), "note", "x", False),
        (Scope(prefixes=("é",)), "notes", "é1", True),
        (Scope(prefixes=("é",)), "notes", "e\u03011", False),
    ],
)
def test_an_item_is_inside_by_its_collection_and_its_id(
    scope: Scope, collection: str, item: str, *, may: bool
) -> None:
    """The collection has to be one of them, and the id begin with one of the prefixes."""
    assert scope.may_touch(collection, item) is may
    assert scope.sees(collection) or not may


def test_a_scope_is_whole_where_it_is_bound_to_nothing() -> None:
    """Neither to collections nor to prefixes."""
    assert WHOLE.is_whole
    for scope in (BOTH, Scope(frozenset({"items"})), Scope(prefixes=("a",))):
        assert not scope.is_whole


@pytest.mark.parametrize("scope", [WHOLE, BOTH, Scope(frozenset({"a"})), Scope(prefixes=("a",))])
async def test_a_token_is_read_with_the_scope_it_was_made_with(
    redis: Redis, partition: Partition, scope: Scope
) -> None:
    """A row of one that is bound to nothing has nothing of it, as ever."""
    await create(partition, "ann", Role.writer, scope)
    assert (await token(partition)).scope == scope
    row = json.loads((await redis.hget("itemstore:tokens", "ann")) or "")
    assert set(row) == {"role", "digest", "created", *scope.as_dict()}


def test_nested_prefixes_of_a_row_collapse() -> None:
    """However they were written."""
    row = {"prefixes": ["eu/de/", "us/", "eu/", "us/"]}
    assert scope_of(row).prefixes == ("eu/", "us/")


@pytest.mark.parametrize(
    "bound",
    [
        {"collections": []},
        {"collections": None},
        {"collections": "orders"},
        {"collections": [""]},
        {"collections": ["orders", 7]},
        {"collections": {"orders": True}},
        {"collections": ["c"] * (MOST_COLLECTIONS + 1)},
        {"prefixes": []},
        {"prefixes": None},
        {"prefixes": "eu/"},
        {"prefixes": [""]},
        {"prefixes": ["eu/", ""]},
        {"prefixes": ["a\n"]},
        {"prefixes": ["\ud800"]},
        {"prefixes": ["x" * 513]},
        {"prefixes": ["p"] * (MOST_PREFIXES + 1)},
        {"prefix": ["eu/"]},
        {"collection": "orders"},
        {"expires": "soon"},
        {"expires": None},
        {"expires": 7},
        {"expires": "2027-01-31T00:00:00"},
        {"expires": "2027-02-31T00:00:00Z"},
    ],
)
async def test_a_row_whose_bounds_can_t_be_read_opens_nothing(
    redis: Redis, partition: Partition, bound: dict[str, Any]
) -> None:
    """Never more than was meant: nobody knows what that was."""
    await redis.hset("itemstore:tokens", "ann", json.dumps(ROW | bound))
    tokens = await read_tokens(partition)
    assert (dict(tokens.readable), tokens.unreadable) == ({}, ("ann",))
    assert await read_token(partition, "ann") is None


async def test_the_same_row_without_bounds_is_a_token(redis: Redis, partition: Partition) -> None:
    """So what the test above refuses is refused for its bounds."""
    await redis.hset("itemstore:tokens", "ann", json.dumps(ROW))
    assert (await token(partition)).opens("secret")


@pytest.mark.parametrize(
    ("text", "is_expired"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("1969-12-31T23:59:59.9+01:00", True),
        ("0001-01-01T00:00:00Z", True),
        ("9999-12-31T23:59:59.999Z", False),
    ],
)
async def test_a_token_expires_at_its_time(
    redis: Redis, partition: Partition, text: str, *, is_expired: bool
) -> None:
    """As any text of RFC 3339 says it."""
    await redis.hset("itemstore:tokens", "ann", json.dumps(ROW | {"expires": text}))
    assert (await token(partition)).is_expired is is_expired


async def test_an_expired_token_says_so(partition: Partition) -> None:
    """With the time, and what to do."""
    await create(partition, "ann", Role.reader, expires=PAST)
    with pytest.raises(TokenExpired, match=r"expired at 2026-01-01T00:00:00Z.*token create"):
        (await token(partition)).check_not_expired()
    await create(partition, "bob", Role.reader, expires=datetime.now(UTC) + timedelta(hours=1))
    (await token(partition, "bob")).check_not_expired()


async def test_an_expired_last_token_does_not_open_the_store(partition: Partition) -> None:
    """It is a token still: to take it back wants the same word as ever."""
    await create(partition, "ann", Role.reader, expires=PAST)
    assert await read_tokens(partition)
    with pytest.raises(LastToken):
        await revoke(partition, "ann")
