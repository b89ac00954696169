"""An application in two processes that can't start while a file named `fails` is there."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

from itemstore.server import run, supervisor
from itemstore.server.admission import Admission
from itemstore.server.counters import Counters
from itemstore.server.run import DidNotStart, Entrance, in_own_process, run_several
from tests.server.bare_app import LIMITS, Running

FAILS, STARTED = Path("fails"), Path("started")

PAUSE = 0.2


class Failing(Running):
    """Looks at the file when it starts."""

    async def live(self, state: dict[str, Any], receive: Any, send: Any) -> None:
        """Hands the server what it has to know, unless it is to fail."""
        if FAILS.exists():  # noqa: ASYNC240 - it has nothing else to do
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "it was to fail"})
            raise RuntimeError
        await super().live(state, receive, send)


class Telling(supervisor.Supervisor):
    """Notes in a file how many workers it knows to serve."""

    def keep_subprocess_alive(self) -> None:
        """Looks at them, as ever."""
        super().keep_subprocess_alive()
        serving = [each for each in self.processes if each in self._started and each.pid]
        STARTED.write_text(str(sum(each.process.is_alive() for each in serving)))


def app() -> Any:
    """The application, in one of the processes."""
    made = Failing(Admission(LIMITS, Counters()), asyncio.Event())

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await made.app(scope, receive, send)

    return in_own_process(lambda: served)


def main() -> None:
    """Serves it in two processes on a free port, which is printed."""
    supervisor.PAUSE = PAUSE
    run.Supervisor = Telling  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        try:
            run_several(listener, "tests.server.workers_that_fail:app", 2, Entrance("", "*"))
        except DidNotStart:
            sys.exit(7)


if __name__ == "__main__":
    main()
