"""Archiving in a process of its own, so that no request waits for Python while it works.

It has the settings of the process that starts it, by its environment, and ends with that: at the
end of its standard input it archives what came last, for a short time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from itemstore.archive.reasons import ProcessEnded, Reasons
from itemstore.archive.work import FINISH_SECONDS, Work
from itemstore.engine.clients import clients_of
from itemstore.engine.embedded import embedded_in
from itemstore.logs.set_up import set_up_as_told
from itemstore.store.archiver import archiving_of
from itemstore.store.child_process import begin_as_child, end_of_input, leave, run_to_end
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings

OPEN_SECONDS = 1.0
"""How long the engine is waited for once the end has come: a server that is killed leaves none."""

_PROGRAM = "from itemstore.store.archiving_process import main; main()"


class InAnotherProcess(Work):
    """The work done in a process that is started for it.

    `url` is where it finds the engine, and `names` are collections of the store.
    """

    def __init__(self, settings: Settings, url: str, names: Sequence[str]) -> None:
        self._environment = settings.model_copy(update={"redis_url": url}).environment
        self._names = names

    async def run(self) -> None:
        """Waits for the end of the process. Raises ProcessEnded."""
        environment = os.environ | self._environment
        raise ProcessEnded(
            await run_to_end(
                _PROGRAM, self._names, environment=environment, seconds=FINISH_SECONDS + 1
            )
        )


def main() -> None:
    """Archives the store that the environment names until standard input ends."""
    begin_as_child()
    set_up_as_told()
    code = asyncio.run(_archive(sys.argv[1:]))
    leave(code)


async def _archive(names: Sequence[str]) -> int:
    """Archives until standard input ends, also while the engine is waited for; the code."""
    is_open = asyncio.Event()
    work = asyncio.create_task(_keep_archiving(names, is_open))
    over = asyncio.create_task(end_of_input())
    await asyncio.wait([work, over], return_when=asyncio.FIRST_COMPLETED)
    with suppress(TimeoutError):  # what came last is archived, also where it has only just begun
        async with asyncio.timeout(OPEN_SECONDS):
            await is_open.wait()
    for task in (over, work):
        task.cancel()
    [_, outcome] = await asyncio.gather(over, work, return_exceptions=True)
    if isinstance(outcome, Exception):
        Reasons().warn(outcome)
        return 1
    return 0


async def _keep_archiving(names: Sequence[str], is_open: asyncio.Event) -> None:
    settings = Settings()
    assert settings.redis_url is not None
    data_dir = embedded_in(settings.data_dir, settings.redis_url)
    async with clients_of(settings.redis_url, is_served=True) as clients:
        store = store_on(clients, settings, data_dir, names=names)
        is_open.set()
        if store.is_archived:  # else the data directory was moved away meanwhile
            await archiving_of(store).run()
