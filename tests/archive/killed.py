"""An archiving process that is killed at any of the things that it asks engine and archive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.merging import Merging
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import Listed, Objects
from itemstore.archive.removal import Removal
from itemstore.archive.trimming import Keep
from tests.archive.stores import archiving_of

_Result = TypeVar("_Result")


class Killed(BaseException):
    """The process is no more."""


class Life:
    """Counts what is asked; the process dies before it asks for more than `most` things."""

    def __init__(self, most: int | None = None) -> None:
        self.asked = 0
        self._most = most

    async def ask(self, question: Callable[[], Awaitable[_Result]]) -> _Result:
        """The answer. Raises Killed."""
        if self.asked == self._most:
            raise Killed
        self.asked += 1
        return await question()


class MortalObjects(Objects):
    """The objects of a place, as such a process reaches them."""

    def __init__(self, objects: Objects, life: Life) -> None:
        self._objects, self._life = objects, life

    @property
    def place(self) -> str:
        """Where they are."""
        return self._objects.place

    async def get(self, name: str) -> bytes:
        """The whole of an object."""
        return await self._life.ask(lambda: self._objects.get(name))

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object."""
        return await self._life.ask(lambda: self._objects.get_range(name, offset, length))

    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object."""
        await self._life.ask(lambda: self._objects.put_new(name, data))

    async def delete(self, name: str) -> None:
        """Deletes an object."""
        await self._life.ask(lambda: self._objects.delete(name))

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects of a prefix."""
        return await self._life.ask(lambda: self._objects.listed(prefix, after))


class Process:
    """What archives, merges, trims and removes, as one process does it."""

    def __init__(self, redis: Redis, objects: Objects, life: Life) -> None:
        archive = Archive(ObjectStore(MortalObjects(objects, life)), 0)
        self._archiving: Archiving = archiving_of(_mortal(redis, life), archive)
        self._merging = Merging(archive, self._archiving.publishing)
        self._removal = Removal(archive)

    async def round(self, keep: Keep) -> None:
        """All of it once."""
        await self._archiving.seal()
        await self._merging.step()
        await self._archiving.trim(keep)
        await self._removal.step()


def _mortal(redis: Redis, life: Life) -> Redis:
    """A client of the same engine, for that process."""
    client: Redis = Redis(connection_pool=redis.connection_pool)
    original = client.execute_command

    async def execute_command(*words: Any, **options: Any) -> Any:
        return await life.ask(lambda: original(*words, **options))  # type: ignore[no-untyped-call]

    client.execute_command = execute_command  # type: ignore[method-assign]
    return client
