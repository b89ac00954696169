"""Tokens that are refused, in the log: the first, and how many more; none of what was presented."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.api import refused_tokens
from itemstore.api.refused_tokens import RefusedTokens
from tests.logged import all_told


async def test_the_first_one_is_said_and_then_how_many_more_there_were(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that tries without end fills no log."""
    monkeypatch.setattr(refused_tokens, "SECONDS", 0.05)
    refused = RefusedTokens()
    for number in range(8):
        refused.note(ValueError("It is unknown"), f"192.0.2.{number}")
    await asyncio.sleep(0.3)
    first, more = all_told(caplog)
    assert first == {
        "event": "A token was refused",
        "reason": "It is unknown",
        "client": "192.0.2.0",
    }
    assert more == {"event": "More tokens were refused", "count": 7, "seconds": 0.05}
