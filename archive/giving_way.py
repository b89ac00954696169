"""What a thread with much to do does for the others, the event loop's above all."""

from __future__ import annotations

import time

_SECONDS = 0.0001


def give_way() -> None:
    """Lets other threads have Python's lock: they would wait five milliseconds for it."""
    time.sleep(_SECONDS)
