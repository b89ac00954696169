"""What runs for as long as the application does, beside the requests."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from itemstore.api.context import Context
from itemstore.archive.archiver import Archiver
from itemstore.archive.work import Work
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.logs.set_up import flush
from itemstore.projections.own.handed import Handed
from itemstore.projections.projection import follows
from itemstore.projections.runners import Runners
from itemstore.projections.stand_in import StandIn
from itemstore.server.stop_signal import on_stop_signal
from itemstore.store.archiver import archiving_of, logs_and_archives
from itemstore.store.archiving_process import InAnotherProcess
from itemstore.store.engine_watch import EngineWatch
from itemstore.store.read_model import ReadModel
from itemstore.store.store import Store
from itemstore.tracing import spans

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running(context: Context) -> AsyncIterator[None]:
    """What goes on beside them: projections, archive and read model follow the log.

    Streams end in time.
    """
    store = context.store
    told: list[int] = []

    def stop(number: int) -> None:
        told.append(number)
        context.feed.close()

    with suppress(LogUnavailable, LogFull):  # then the first to read it does this
        await store.feed.identity.now()
    with suppress(LogUnavailable, LogFull, LogBroken):  # then whoever follows the logs does it
        await _begin_projections(context)
    tasks = [
        *(asyncio.create_task(each.run()) for each in _following(context)),
        asyncio.create_task(context.processes.keep_publishing()),
        asyncio.create_task(context.health.keep_settling()),
        asyncio.create_task(EngineWatch(store).keep_watching()),
        asyncio.create_task(spans.keep_looking()),
    ]
    archiver = _archiver_of(store)
    if archiver is not None:
        archiver.start()
    read_model = context.read_model
    if read_model is not None:
        read_model.start()
    try:
        with on_stop_signal(stop):
            names = ",".join(store.collections)
            extra = {"collections": names, "partitions": len(store.sections)}
            logger.info("The store is served", extra=extra)
            yield
    finally:
        began = monotonic()
        why = signal.Signals(told[0]).name if told else "the application ends"
        logger.info("The server stops", extra={"reason": why})
        context.feed.close()
        await asyncio.gather(context.operating.finish(), *_endings(archiver, read_model))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        logger.info("The server has stopped", extra={"seconds": round(monotonic() - began, 3)})
        flush()  # a signal may end the process right after this


async def _begin_projections(context: Context) -> None:
    """Has those that begin with the next event do so before there is one."""
    for projection in context.projections:
        if isinstance(projection, Handed):
            logs = context.store.collections.items()
            own = [
                one for name, each in logs if follows(projection, name) for one in each.partitions
            ]
            await projection.begin_here(own)


def _following(context: Context) -> Iterator[Runners | StandIn]:
    """What keeps the projections up with the logs; where there are partitions, told of writes.

    For those that another process follows it only stands in.
    """
    store, read_model = context.store, context.read_model
    partitions = [one for each in store.collections.values() for one in each.partitions]
    beside = () if read_model is None else read_model.followed_beside
    own = [each for each in context.projections if each not in beside]
    runners = Runners(partitions, own, store.disk)
    if store.has_partitions:
        for section in store.sections:
            section.appender.tell(runners.woken(section.partition))
    yield runners
    if beside:
        yield StandIn(partitions, beside, store.disk)


def _endings(archiver: Archiver | None, model: ReadModel | None) -> Iterator[Awaitable[None]]:
    """What takes a few seconds to end, each."""
    if archiver is not None:
        yield archiver.finish()
    if model is not None:
        yield model.finish()


def _archiver_of(store: Store) -> Archiver | None:
    """What has the store archived, None where it has no archive.

    A process of its own does it, where another process can reach the engine.
    """
    if not store.is_archived:
        return None
    url = store.url
    work: Work
    if url is None:
        work = archiving_of(store)
    else:
        work = InAnotherProcess(store.settings, url, list(store.collections))
    return Archiver(logs_and_archives(store), work, store.disk)
