"""APIs that are told to end while clients go on: they do so in time, and by themselves."""

from __future__ import annotations

import asyncio
import signal
import time

from tests.torture.bounds import at_most
from tests.torture.faults import Fault
from tests.torture.processes import Api

LONGEST_END = 5.0
"""Seconds from SIGTERM to the end of an API. Requests get two; at six it is ended by force."""


class ApiEnded(Fault):
    """SIGTERM under load, and a start at the same port once it has ended."""

    async def happen(self) -> None:
        """As it says."""
        api = self.chance.choice(self.system.apis)
        await self.end(api)
        await api.start()

    async def end(self, api: Api) -> None:
        """Has it end, in time and by itself."""
        began = time.monotonic()
        code = await api.stop()
        took = time.monotonic() - began
        if code != -signal.SIGTERM or took > at_most(LONGEST_END):
            self.system.complaints.append(f"the API ended with {code} after {took:.1f} s")


class ApiEndedWhileTheEngineHangs(ApiEnded):
    """The same, so that requests wait in a batch: they are cancelled."""

    async def end(self, api: Api) -> None:
        """As it says."""
        self.engine.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            await super().end(api)
        finally:
            self.engine.signal(signal.SIGCONT)
