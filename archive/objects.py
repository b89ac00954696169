"""Where an archive's files are: what a directory and a bucket have in common.

Kinds: `directory.py` and `bucket.py`. Names are paths with `/`, such as `segments/….jsonl.zst`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from itemstore.eventlog.past import PastDamaged, PastUnavailable


class NotAnArchive(ValueError):
    """A text names no place for an archive, or one that can't be reached so: it says why."""


class ObjectMissing(PastDamaged):
    """There is no object with this name; it may have been replaced by others meanwhile."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(f"The archive {place} lacks {name}.")
        self.name = name


class AlreadyThere(Exception):
    """There is an object with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is there already.")
        self.name = name


class Hindered(PastUnavailable):
    """What the next attempt may no longer meet: a lost connection, a server that is busy."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The name of an object, and its size in bytes."""

    name: str
    bytes: int


class Objects(Protocol):
    """Objects by name. Each call is one attempt.

    All raise PastUnavailable, and Hindered where another attempt makes sense.
    """

    @property
    @abstractmethod
    def place(self) -> str:
        """Where they are, for people."""

    @abstractmethod
    async def get(self, name: str) -> bytes:
        """The whole of an object. Raises ObjectMissing."""

    @abstractmethod
    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object, less where it ends before. Raises ObjectMissing."""

    @abstractmethod
    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object where there is none: the whole of it or nothing, safe from a power cut.

        Raises AlreadyThere if there is one.
        """

    @abstractmethod
    async def delete(self, name: str) -> None:
        """Deletes an object, if there is one."""

    @abstractmethod
    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects whose names begin with a prefix and come after a name, in their order."""
