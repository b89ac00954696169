"""How long something may take. What is promised holds on a machine that does nothing else."""

from __future__ import annotations

import os

PATIENCE = "TORTURE_PATIENCE"
"""The variable that says how many times as long it may take here: once, where it is not set.

The tests of the parts, which run beside others, give more: they are about what is answered.
"""


def at_most(seconds: float) -> float:
    """So long, or as many times as long as the variable says."""
    return seconds * float(os.environ.get(PATIENCE, "1"))
