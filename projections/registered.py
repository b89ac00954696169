"""All projections: the current items, and those that follow the log."""

from __future__ import annotations

from itemstore.projections.counting import CountingProjection
from itemstore.projections.statistics import STATISTICS

CURRENT_ITEMS = "current-items"
"""The name of the projection that is written in the same step as the log."""

FOLLOWING: tuple[CountingProjection, ...] = (STATISTICS,)
"""The projections that a runner keeps up with the log. A new one is added here."""
