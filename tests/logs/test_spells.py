"""What happens often is told when it begins and when it is over, with how often it was."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.logs.spells import Spell
from itemstore.server import full
from itemstore.server.full import Full
from tests.logged import all_told


async def test_a_spell_is_told_once_at_its_beginning_and_once_at_its_end() -> None:
    """However often it happened; the next one is another."""
    told: list[object] = []
    spell = Spell(lambda: told.append("begins"), lambda count, _: told.append(count), quiet=0.1)
    for times in (1, 1000):
        for _ in range(times):
            spell.note()
        await asyncio.sleep(0.15)
        assert told[-1] == "begins" or told[-1] == times
        await asyncio.sleep(0.3)
    assert told == ["begins", 1, "begins", 1000]


async def test_one_that_goes_on_is_told_now_and_then() -> None:
    """Where that is wanted; and not that it is over, where it is not."""
    told: list[object] = []
    spell = Spell(
        lambda: told.append("begins"), goes_on=lambda count, _: told.append(count), quiet=0.1
    )
    spell.note()
    for _ in range(5):
        spell.note()
    await asyncio.sleep(0.4)
    assert told == ["begins", 5]


async def test_a_limit_is_logged_when_it_is_reached_and_when_no_longer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each limit by itself."""
    monkeypatch.setattr(full, "QUIET", 0.05)
    reached = Full()
    for _ in range(7):
        reached.note("waiting")
    reached.note("streams")
    await asyncio.sleep(0.3)
    [begun, ended] = all_told(caplog, limit="waiting")
    assert begun["event"] == "A limit is reached, and requests are refused"
    assert (ended["event"], ended["refused"]) == ("A limit is no longer reached", 7)
    assert len(all_told(caplog, limit="streams")) == 2
