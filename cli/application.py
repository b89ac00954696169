"""The application as `serve` runs it, alone or in each of several processes."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itemstore.api.app import ItemStore
from itemstore.cli.named_application import named_application
from itemstore.logs.set_up import set_up
from itemstore.server.run import in_own_process
from itemstore.store.failures import FAILURES, told
from itemstore.store.settings import Settings
from itemstore.tracing import export

logger = logging.getLogger(__name__)


def application(settings: Settings | None = None) -> ASGIApp:
    """The application, in a process of its own. Without settings, those of the environment.

    Its spans go where the environment says. One of several processes is told no settings, and its
    log goes out as that of the first does.
    """
    if settings is None:
        settings = Settings()
        set_up(settings.log_format, settings.log_level)
    exporting = export.begin(os.environ)
    app = in_own_process(partial(named_application(settings.app), settings))
    if exporting is not None:
        _finish_at_end(exporting, app)
    return _failing_in_a_sentence(app)


def _failing_in_a_sentence(app: ASGIApp) -> ASGIApp:
    """The same, which says why it can't start in a sentence; for what nobody foresaw, a traceback.

    Another process looked at the engine before this one was started, and it may be gone since.
    """

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            error = sys.exception() if message["type"] == "lifespan.startup.failed" else None
            if isinstance(error, FAILURES):
                logger.error("The store can't be served", extra={"reason": told(error)})
                message = {**message, "message": ""}
            await send(message)

        await app(scope, receive, tell if scope["type"] == "lifespan" else send)

    return served


def _finish_at_end(exporting: export.Exporting, app: ItemStore) -> None:
    """Has the last spans sent while the store ends: both have the same few seconds for it."""
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def finishing(of: ItemStore) -> AsyncIterator[Any]:
        async with asyncio.TaskGroup() as tasks, lifespan(of) as state:
            try:
                yield state
            finally:
                tasks.create_task(exporting.finish())

    app.router.lifespan_context = finishing
