"""The application as `serve` runs it, alone or in each of several processes."""

from __future__ import annotations

from functools import partial

from itemstore.api.app import ItemStore, create_app
from itemstore.server.run import in_own_process
from itemstore.store.settings import Settings


def application(settings: Settings | None = None) -> ItemStore:
    """The application, in a process of its own. Without settings, those of the environment."""
    return in_own_process(partial(create_app, settings))
