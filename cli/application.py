"""The application as `serve` runs it, alone or in each of several processes."""

from __future__ import annotations

import gc
import multiprocessing

from itemstore.api.app import ItemStore, create_app
from itemstore.server.ending import bound_end, end_with
from itemstore.store.settings import Settings

THRESHOLDS = (10_000, 10, 10)
"""See gc.set_threshold. A request leaves no garbage that only the collector finds, but under load
Python's own thresholds have it look for some every few requests (docs/decisions/0011)."""


def application(settings: Settings | None = None) -> ItemStore:
    """The application, in a process of its own. Without settings, those of the environment."""
    bound_end()
    if parent := multiprocessing.parent_process():
        end_with(parent)
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what is there now stays, and needs no looking at
    gc.set_threshold(*THRESHOLDS)
    return app
