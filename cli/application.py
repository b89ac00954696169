"""The application as `serve` runs it, alone or in each of several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

from api.app import ItemStore, create_app
from api.settings import Settings

THRESHOLDS = (10_000, 10, 10)
"""See gc.set_threshold. A request leaves no garbage that only the collector finds, but under load
Python's own thresholds have it look for some every few requests (docs/decisions/0011)."""


def application(settings: Settings | None = None) -> ItemStore:
    """The application, in a process of its own. Without settings, those of the environment."""
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what is there now stays, and needs no looking at
    gc.set_threshold(*THRESHOLDS)
    return app


def _end_with(parent: BaseProcess) -> None:
    """Ends this process when its parent is gone: nobody would control it any more."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
