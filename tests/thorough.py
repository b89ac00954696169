"""How much of what can be tried in many places is tried: `THOROUGH=1 make test` tries all of it.

A process can be killed at each of some hundred steps. Every run tries a part of them, spread over
all, so that a run stays short; docs/decisions/0103 says what that is for.
"""

from __future__ import annotations

import os

IS_THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}

EACH = 1 if IS_THOROUGH else 3
"""Of so many neighbouring steps one is tried. It is odd: what alternates is met on both sides."""


def examples(number: int) -> int:
    """How many examples of `number` are tried."""
    return number if IS_THOROUGH else max(1, number // 2)
