"""What the tests of the log share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from itemstore.domain.commands import DeleteItem
from itemstore.domain.errors import ItemNotFound
from tests.wire import Wire, wire_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from itemstore.eventlog.log import EventLog


@pytest.fixture
async def wire(log: EventLog) -> AsyncIterator[Wire]:
    """What goes to the append script, in an engine that has it already."""
    with pytest.raises(ItemNotFound):
        await log.append(DeleteItem("nothing"))
    with wire_of("EVALSHA", "EVAL") as wire:
        yield wire
