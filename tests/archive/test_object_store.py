"""How often something is asked for again, and for how long."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import pytest

from itemstore.archive import object_store
from itemstore.archive.object_store import ATTEMPTS, ObjectStore
from itemstore.archive.objects import AlreadyThere, Hindered, Listed, Objects
from itemstore.archive.places import objects_at
from itemstore.eventlog.past import PastUnavailable


class Failing(Objects):
    """Objects in memory that fail as often as they are told, before or after the work is done.

    An attempt takes `seconds` of the tests' clock. `most` is how many were under way at once.
    """

    def __init__(self) -> None:
        self._objects = objects_at(f"memory://{secrets.token_hex(8)}")
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.attempts = self.under_way = self.most = 0
        self.spend: Callable[[], None] = lambda: None

    @property
    def place(self) -> str:
        """Where they seem to be."""
        return "memory"

    async def get(self, name: str) -> bytes:
        """The content of an object."""
        await self._attempt()
        return await self._objects.get(name)

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object."""
        raise NotImplementedError

    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object."""
        await self._attempt()
        await self._objects.put_new(name, data)
        if self.after:
            raise self.after.pop(0)

    async def delete(self, name: str) -> None:
        """Deletes an object."""
        raise NotImplementedError

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The objects of a prefix."""
        raise NotImplementedError

    async def _attempt(self) -> None:
        self.attempts += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.spend()
        self.under_way -= 1
        if self.before:
            raise self.before.pop(0)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Objects that don't fail yet; nobody waits for the next attempt."""
    monkeypatch.setattr(object_store, "FIRST_PAUSE", 0.0)
    return Failing()


async def test_what_may_pass_is_tried_again(failing: Failing) -> None:
    """As often as it is said, and then its reason is told."""
    objects = ObjectStore(failing)
    await objects.put_new("a", b"1")
    failing.attempts = 0

    failing.before = [Hindered("busy")] * (ATTEMPTS - 1)
    assert await objects.get("a") == b"1"
    assert failing.attempts == ATTEMPTS

    failing.before = [Hindered("busy")] * ATTEMPTS
    with pytest.raises(PastUnavailable, match="busy"):
        await objects.get("a")
    assert failing.attempts == 2 * ATTEMPTS


async def test_what_does_not_pass_is_not_tried_again(failing: Failing) -> None:
    """Such as a right that is lacking."""
    failing.before = [PastUnavailable("forbidden")]

    with pytest.raises(PastUnavailable, match="forbidden"):
        await ObjectStore(failing).get("a")

    assert failing.attempts == 1


async def test_an_object_whose_answer_was_lost_is_its_own(failing: Failing) -> None:
    """And the object of another is not, whatever was lost."""
    objects = ObjectStore(failing)

    failing.after = [Hindered("lost")]
    await objects.put_new("a", b"1")
    failing.before = [Hindered("lost")]
    with pytest.raises(AlreadyThere):
        await objects.put_new("a", b"2")

    assert await objects.get("a") == b"1"


async def test_waiting_for_a_turn_takes_nothing_from_the_time_for_attempts(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind many others one is tried again all the same, and few are under way at once."""
    clock = [0.0]

    def spend() -> None:
        clock[0] += 5.0

    monkeypatch.setattr(object_store, "AT_ONCE", 2)
    monkeypatch.setattr(object_store, "monotonic", lambda: clock[0])
    objects = ObjectStore(failing)
    await objects.put_new("a", b"1")
    failing.before, failing.spend = [Hindered("busy")] * 10, spend

    found = await asyncio.gather(*(objects.get("a") for _ in range(20)))

    assert found == [b"1"] * 20
    assert failing.most == 2


async def test_attempts_that_took_long_are_not_followed_by_another(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody waits for an answer."""
    clock = [0.0]

    def spend() -> None:
        clock[0] += 9.0

    monkeypatch.setattr(object_store, "monotonic", lambda: clock[0])
    failing.before, failing.spend = [Hindered("slow")] * ATTEMPTS, spend

    with pytest.raises(PastUnavailable, match="slow"):
        await ObjectStore(failing).get("a")

    assert failing.attempts == 2
