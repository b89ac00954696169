"""An operation in a process of its own, so that no request waits for Python while it works.

It has the settings of the process that starts it, by its environment, and ends with that: at the
end of its standard input it stops what it does, and says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
import threading
import time
from collections.abc import Sequence

from itemstore.engine.clients import clients_of
from itemstore.engine.embedded import embedded_in
from itemstore.logs.set_up import set_up_as_told
from itemstore.store.carrying_out import carry_out
from itemstore.store.child_process import begin_as_child, end_of_input, leave, run_to_end
from itemstore.store.opening import store_on
from itemstore.store.operations import Operation
from itemstore.store.projections import projections_of
from itemstore.store.settings import Settings
from itemstore.store.store import Store

END_SECONDS = 2.5
"""How long it may take to stop."""

_PROGRAM = "from itemstore.store.operation_process import main; main()"


async def carry_out_apart(store: Store, operation: Operation) -> int:
    """Has it carried out by a process that is started for it; the code with which that ended.

    Where the caller is cancelled, the process is stopped.
    """
    settings = store.settings.model_copy(update={"redis_url": store.url})
    return await run_to_end(
        _PROGRAM,
        [operation.as_text(), *store.collections],
        environment=os.environ | settings.environment,
        seconds=END_SECONDS,
    )


def main() -> None:
    """Carries out what the arguments say, on the store that the environment names."""
    begin_as_child()
    threading.Thread(target=_end_with_starter, daemon=True).start()
    set_up_as_told()
    operation, *names = sys.argv[1:]
    asyncio.run(_carry_out(Operation(**json.loads(operation)), names))
    leave()


async def _carry_out(operation: Operation, names: Sequence[str]) -> None:
    settings = Settings()
    assert settings.redis_url is not None
    data_dir = embedded_in(settings.data_dir, settings.redis_url)
    over = asyncio.Event()
    ending = asyncio.create_task(_tell_end(over))
    async with clients_of(settings.redis_url, is_served=False) as clients:
        store = store_on(clients, settings, data_dir, names=names)
        await carry_out(store, projections_of(settings, names), operation, over)
    ending.cancel()


def _end_with_starter() -> None:
    """Ends this process where it heeds nothing and nobody is left to kill it.

    An operator's own projection may stand still, and the event loop with it.
    """
    starter = select.poll()
    starter.register(sys.stdin, select.POLLHUP)
    starter.poll()
    time.sleep(END_SECONDS + 1)  # a starter that lives does it itself
    leave(1)


async def _tell_end(over: asyncio.Event) -> None:
    await end_of_input()
    over.set()
