"""What the tests of the log share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from itemstore.domain.commands import DeleteItem
from itemstore.domain.errors import ItemNotFound
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.log import EventLog
from tests.wire import Wire, wire_of


@pytest.fixture
def appender(log: EventLog) -> Appender:
    """The way into a store on each engine."""
    return log.appender


@pytest.fixture
def key() -> IdempotencyKey:
    """A key for a request."""
    return IdempotencyKey("k 1", "0f" * 32)


@pytest.fixture
async def wire(log: EventLog) -> AsyncIterator[Wire]:
    """What goes to the append script, in an engine that has it already."""
    with pytest.raises(ItemNotFound):
        await log.append(DeleteItem("nothing"))
    with wire_of("EVALSHA", "EVAL") as wire:
        yield wire
