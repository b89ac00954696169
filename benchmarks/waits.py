"""How long a client of the engine waits: `python -m benchmarks.waits URL`, until its input ends.

Reads a row every millisecond, and prints the median and the longest wait in milliseconds.
"""

from __future__ import annotations

import sys
import threading
import time
from statistics import median

from redis import Redis


def main() -> None:
    """Measures from the line `ready` on."""
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    waits = []
    with Redis.from_url(sys.argv[1]) as redis:
        redis.ping()
        print("ready", flush=True)
        while not ended.wait(0.001):
            start = time.perf_counter()
            redis.hget("items:current", "item-1")
            waits.append(1000 * (time.perf_counter() - start))
    print(median(waits), max(waits))


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main()
