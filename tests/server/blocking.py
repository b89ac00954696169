"""A model for `--model`, whose process can be made to do something that never ends.

SIGUSR1 begins it, in the event loop: no way of a request off the loop changes that. A file named
like the process in the directory BLOCK_DIR says that it has begun. Or it forks a process, whose
number is in the file `child`, and which takes its time before it runs on its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from pydantic import BaseModel

from itemstore.server import ending

ending.SECONDS = float(os.environ.get("END_SECONDS", "1"))
ending.ENGINE_SECONDS = 1.0


class Anything(BaseModel, extra="allow"):
    """An item with whatever members."""


def _told(_number: int, _frame: FrameType | None) -> None:
    asyncio.get_running_loop().call_soon_threadsafe(_block)


def _block() -> None:
    kind = os.environ["BLOCK"]
    Path(os.environ["BLOCK_DIR"], str(os.getpid())).touch()
    if kind == "loop":
        while True:
            pass
    elif kind == "sleep":
        time.sleep(1000)
    elif kind == "expression":
        re.fullmatch("(a+)+", "a" * 64 + "b")
    elif kind == "thread":
        threading.Thread(target=re.fullmatch, args=("(a+)+", "a" * 64 + "b"), daemon=True).start()
    elif kind == "fork":
        if (child := os.fork()) == 0:
            time.sleep(1000)
        Path(os.environ["BLOCK_DIR"], "child").write_text(f"{child}\n")
    elif kind == "C":
        sum(range(10**12))  # looks for no signal, and gives no other thread a turn


signal.signal(signal.SIGUSR1, _told)
os.register_at_fork(after_in_child=lambda: time.sleep(0.5))
