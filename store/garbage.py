"""How often Python looks for objects that only point at each other."""

from __future__ import annotations

import gc

MADE_BEFORE = 50_000
"""Objects that are made before Python looks for circles among them, of which there are hardly any:
700 are a few events, and cost a sixth of all that is done."""


def look_for_garbage_rarely() -> None:
    """For a process of one piece of work, which makes many objects that stay."""
    gc.set_threshold(MADE_BEFORE, 20, 100)
