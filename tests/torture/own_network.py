"""A loopback network of this process's own, in which a node can be cut off from the others."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000

SOURCE = "127.0.0.77"
"""Where the connections of a node that can be cut off come from."""


is_entered = False


def enter() -> str | None:
    """Goes into a network of its own, with all processes that are started from now on.

    None where that worked, else a sentence that says why not.
    """
    global is_entered  # noqa: PLW0603 - there is one process
    if os.geteuid() != 0:
        return "No node is cut off from the others: that needs a network namespace, so root."
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        why = os.strerror(ctypes.get_errno())
        return f"No node is cut off from the others: no network namespace could be made ({why})."
    try:
        _ip("link", "set", "lo", "up")
        _ip("rule", "add", "pref", "100", "lookup", "local")
        _ip("rule", "del", "pref", "0")  # which no rule can be before
    except (OSError, subprocess.CalledProcessError) as error:
        return f"No node is cut off from the others: `ip` could not do its part ({error})."
    is_entered = True
    return None


@contextmanager
def nothing_gets_through(*ports: int) -> Iterator[None]:
    """A block in which all is lost that is sent to these ports or from them, or by SOURCE."""
    rules = [
        *(("ipproto", "tcp", end, str(port)) for port in ports for end in ("sport", "dport")),
        ("from", SOURCE),
        ("to", SOURCE),
    ]
    made = []
    try:
        for rule in rules:
            _ip("rule", "add", "pref", "10", *rule, "blackhole")
            made.append(rule)
        yield
    finally:
        for rule in made:
            _ip("rule", "del", "pref", "10", *rule, "blackhole")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
