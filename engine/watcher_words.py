"""What the engine's watcher has to say, logged by the process that the engine is for.

The watcher is a small program that imports nothing, so it has no log of its own.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from itemstore.engine.watcher import ENDED, WITHOUT_SOCKET

logger = logging.getLogger(__name__)

EVENTS = (ENDED, WITHOUT_SOCKET)
"""All that it may say."""


@contextmanager
def heard() -> Iterator[int]:
    """A descriptor for the watcher to write to; what comes is logged until all have closed it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # its engine is not to wait for who hears nothing
    threading.Thread(target=_log_all, args=(reading,), name="engine's words", daemon=True).start()
    try:
        yield writing
    finally:
        os.close(writing)


def _log_all(reading: int) -> None:
    with open(reading, encoding="utf-8") as lines:
        for line in lines:
            said = json.loads(line)
            event, at = said.pop("event"), said.pop("at")
            record = logger.makeRecord(
                *(logger.name, logging.WARNING, __file__, 0, event, (), None), extra=said
            )
            record.created = at  # when it happened, and not when it was heard
            if logger.isEnabledFor(logging.WARNING):
                logger.handle(record)
