"""Being cancelled, also where redis-py loses it.

Before Python 3.12, asyncio.wait_for, which redis-py uses, returns as if nothing had happened when
its task is cancelled in the moment in which what it waits for is done. A loop that asks the engine
again and again would then never end.
"""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raises CancelledError in a task that was cancelled and went on all the same."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
