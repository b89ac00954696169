"""The projections that every store has."""

from __future__ import annotations

from itemstore.projections.current_items import CurrentItemsProjection
from itemstore.projections.projection import Projection
from itemstore.projections.statistics import STATISTICS

CURRENT_ITEMS = CurrentItemsProjection()

BUILT_IN: tuple[Projection, ...] = (CURRENT_ITEMS, STATISTICS)
