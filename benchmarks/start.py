"""How long `itemstore serve` takes to start where there is data: the engine has to load it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.contestants import serve_command
from benchmarks.measure import say
from benchmarks.starting import HERE, answered, free_port, wait_for
from benchmarks.workloads import BODY
from itemstore.engine.embedded import attach
from itemstore.eventlog.keys import Keys

LONGEST_START = 600.0
"""Seconds that a start may take."""


def started(directory: str) -> dict[str, Any]:
    """Seconds from the start of `itemstore serve` until it is ready, and has answered a PUT.

    Nothing is pinned. The events are those that were there before the PUT.
    """
    port = free_port()
    path = Path(directory)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    start = time.monotonic()
    process = subprocess.Popen(
        serve_command(HERE, port, 1, "--data-dir", directory),
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for(lambda: answered(port, "/readyz") == 200, process, LONGEST_START)
        ready = time.monotonic() - start
        if answered(port, "/items/item-1", "PUT", BODY.decode()) not in {200, 201}:
            message = "The first PUT after the start was refused."
            raise RuntimeError(message)
        put = time.monotonic() - start
        with attach(path) as engine, Redis.from_url(engine.url) as redis:
            events = redis.xlen(Keys().events) - 1
    finally:
        process.terminate()
        process.wait()
    say(f"{events:,} events on disk: ready after {ready:.2f} s, the first PUT after {put:.2f} s")
    return {"events": events, "bytes": size, "ready": round(ready, 2), "put": round(put, 2)}
