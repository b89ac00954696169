"""The older part of a store's log, which the engine may no longer have.

Its kind: that of the archive. Up to the store's border, a position, readers ask it and not the
streams; after the border they ask the streams. It can only go up, and what is up to it is in the
past for ever; see docs/decisions/0048.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Protocol

from redis.asyncio import Redis

from itemstore.domain.positions import START, key_of, position_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.reader import Entry, Part, Within

BORDER = "border"
"""The field of StoreKeys.archive that holds the border."""

SEALED = "sealed"
"""The one that says up to where the archive holds all."""

MANIFEST = "manifest"
"""The field that holds the number of the archive's manifest that the border was moved by."""

MARK = "mark"
"""The field that says which event the border was moved to."""

CLAIMED = "claimed"
"""The field that holds the position up to which an archiver has begun to copy."""


class PastUnavailable(LogUnavailable):
    """The archive can't be asked now, or there is none here: the sentence says what to do."""


class PastDamaged(LogBroken):
    """The archive lacks something, or has it altered: the sentence says what."""


class BeforeBorder(Exception):
    """The engine may lack what was asked for: that begins before the border."""

    def __init__(self, border: bytes) -> None:
        super().__init__(border)
        self.border = checked_border(border)


class Past(Protocol):
    """The events of all collections of a store up to some position, in one order.

    Entries are those that the streams had, to the byte. `up_to` is a position that it reaches:
    nothing after that is given. All raise PastUnavailable and PastDamaged.

    `asking` is entered by readers for as long as they wait for an answer, but for `slices`: a
    process that serves many bounds with it how many wait at once.
    """

    asking: Callable[[], AbstractAsyncContextManager[object]] = nullcontext

    @abstractmethod
    async def part_after(
        self, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries of collections after a position; `is_end` where it came to `up_to`."""

    @abstractmethod
    def slices(
        self, collections: Sequence[str], after: str, up_to: str
    ) -> AsyncGenerator[Part, None]:
        """All entries of collections after a position, about a mebibyte at a time."""

    @abstractmethod
    async def entries_at(self, collection: str, positions: Sequence[bytes]) -> list[Entry]:
        """The entries at positions, in their order, those that are there: about PAGE_BYTES."""

    @abstractmethod
    async def positions(self, collection: str, item: str, after: int, limit: int) -> list[bytes]:
        """The positions of the item's `limit` versions after a version, those that it has."""

    @abstractmethod
    async def version_at(self, collection: str, item: str, position: str) -> int:
        """The last version of an item at or before a position, 0 before its first."""

    @abstractmethod
    async def count(self, collection: str, up_to: str) -> int:
        """How many events of a collection there are up to a position."""

    @abstractmethod
    async def before_last(self, collections: Sequence[str], count: int, up_to: str) -> str:
        """The position after which the last `count` events up to `up_to` are, START for all."""


async def border(client: Redis, keys: StoreKeys) -> str:
    """The store's border, START where all is in the streams. Raises LogUnavailable, LogBroken."""
    with translated():
        found: Any = await client.hget(keys.archive, BORDER)
    return START if found is None else checked_border(found)


async def sealed(client: Redis, keys: StoreKeys) -> str:
    """The position up to which the archive holds all; START, LogUnavailable, LogBroken as above."""
    with translated():
        found: Any = await client.hget(keys.archive, SEALED)
    return START if found is None else checked_border(found)


async def archived(client: Redis, keys: StoreKeys) -> str:
    """The position up to which nothing may come into the logs any more, START where there is none.

    Raises LogUnavailable, LogBroken.
    """
    with translated():
        found: Any = await client.hmget(keys.archive, [CLAIMED, BORDER])
    return max((checked_border(each) for each in found if each), key=key_of, default=START)


def checked_border(found: bytes) -> str:
    """The position that the border is. Raises LogBroken."""
    text = found.decode(errors="replace")
    position = position_of(text)
    if position is None:
        message = (
            f"The archive's border is {text[:40]!r}, which is no position; another program writes "
            "in this namespace."
        )
        raise LogBroken(message)
    return position
