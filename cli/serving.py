"""The steps of `itemstore serve`: what it checks, what it opens, and what it says."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from itemstore.api.added import CannotAdd
from itemstore.cli.application import application
from itemstore.cli.engine_url import redis_cli, without_secrets
from itemstore.cli.entrance import where
from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.named_application import named_application
from itemstore.cli.opening import MISTAKES, checked_settings, mistaken
from itemstore.cli.told_settings import told_settings
from itemstore.cli.variables import given_as, in_words_of
from itemstore.engine.clients import Clients, OneEngine
from itemstore.engine.embedded import EngineError
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.projections.queries.indexes.declared import declared
from itemstore.server.descriptors import connections_within
from itemstore.server.ending import let_the_engine_stop
from itemstore.server.processes import shared_directory
from itemstore.server.run import DidNotStart, Entrance, run, run_several
from itemstore.store.archive_place import archive_of
from itemstore.store.beginning import begin, events_of, promise_of, reach
from itemstore.store.known_collections import unnamed_collections
from itemstore.store.layout import numbers_of
from itemstore.store.look import check_writable
from itemstore.store.named_collections import collection_names, named_collections
from itemstore.store.opening import engine_for, open_store
from itemstore.store.projections import named_projections
from itemstore.store.settings import Settings
from itemstore.store.sql_place import database_of
from itemstore.store.tokens import read_tokens
from itemstore.tracing import export

logger = logging.getLogger(__name__)


def checked(options: Mapping[str, Any]) -> Settings:
    """The settings, with no more connections than the system allows.

    Raises Stop, also where there is no such model, projection or place for an archive, or where
    no such index or text can be declared.
    """
    settings = checked_settings(options, is_served=True)
    try:
        collections = named_collections(settings.collections, settings.model)
        if settings.app is not None:  # so that it is said once, and not by each worker
            named_application(settings.app)(settings).put_together()
        named_projections(settings.projections, collections)
        declared(settings.indexes, settings.text, collections)
        archive_of(settings, settings.data_dir)
        database_of(settings)
        export.check(os.environ)
    except export.CannotExport as error:
        raise Stop(in_words_of(str(error), options), MISUSED) from None
    except CannotAdd as error:
        raise Stop(f"{given_as('app', options)}: {error}", MISUSED) from None
    except MISTAKES as error:
        raise mistaken(error, options) from None
    most = connections_within(settings.max_connections)
    return settings.model_copy(update={"max_connections": most})


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a store before it is served.

    `settings` have its number of partitions. `unnamed` are the collections with events that they do
    not name, with how many each of them has.
    """

    settings: Settings
    unnamed: Mapping[str, int]
    is_cluster: bool


async def check(settings: Settings) -> Checked:
    """What there is to be served; a new store has its number of partitions from now on.

    Partitions but the first may be away. Raises Stop where anybody could write, and what a failing
    or unsafe engine raises.
    """
    names = collection_names(settings.collections)
    async with open_store(settings, names=names, half_restored=True) as store:
        await _refuse_replica(store.clients)
        away = await reach(store)
        await promise_of(store, away)
        with suppress(LogUnavailable, LogFull, LogBroken):  # reads are served, and it is logged
            await check_writable(store, away)
        tokens = await read_tokens(store.partition)
        if not (tokens or settings.may_be_open):
            message = (
                f"The store has no token, so anybody who reaches {settings.host} could write. Make "
                "one with `itemstore token create NAME --role writer`, listen on 127.0.0.1, or use "
                "--insecure-no-auth."
            )
            raise Stop(message)
        await begin(store)
        unnamed = await unnamed_collections(store)
        settings = settings.model_copy(update={"partitions": store.settings.partitions})
        return Checked(settings, unnamed, store.clients.is_cluster)


async def _refuse_replica(clients: Clients) -> None:
    """Raises Stop where the one engine is a replica: it takes no writes, and its reads are late."""
    if isinstance(clients, OneEngine) and (primary := await clients.primary()) is not None:
        message = (
            f"The engine is a replica, which a store can't be served from; its primary is "
            f"{primary}: name that with --redis-url."
        )
        raise Stop(message)


@contextmanager
def engine_of(settings: Settings) -> Iterator[Settings]:
    """The settings that name an engine: the embedded one, which runs for the block, if no other."""
    try:
        with engine_for(settings, _tell_who_is_waited_for) as url:
            yield settings.model_copy(update={"redis_url": url})
    except EngineError as error:
        raise Stop(str(error)) from None


def _tell_who_is_waited_for(pid: int) -> None:
    logger.warning(
        "The data directory is in use by another command, and waited for", extra={"used_by": pid}
    )


def announce(found: Checked, listener: socket.socket) -> None:
    """Says where everything is, what is there and not served, and how to look at the logs."""
    settings = found.settings
    url = settings.redis_url or ""
    lines = [*where(settings, listener), f"Engine  {without_secrets(url)}"]
    lines += [f"Unused  /{name}, {events_of(count)}" for name, count in found.unnamed.items()]
    lines += _logs(found)
    with suppress(OSError):  # nobody may read it, and the API is what matters
        print("\n".join(lines), flush=True)


def _logs(found: Checked) -> Iterator[str]:
    """How to look at the log of each collection: of several partitions at that of the first."""
    settings, on_cluster = found.settings, found.is_cluster
    url, partitions = settings.redis_url or "", settings.partitions or 1
    there_are = f"Parts   {partitions}, 0 to {partitions - 1};"
    if partitions > 1 and on_cluster:
        slot = redis_cli(url, "CLUSTER", "KEYSLOT", "ID", on_cluster=True)
        yield f"{there_are} that of an item: {slot}, modulo {partitions}"
    elif partitions > 1:
        yield f"{there_are} docs/cluster.md says which of them an item is in"
    first = numbers_of(settings)[0]
    for name in collection_names(settings.collections):
        events = Keys(name, settings.namespace or "", first).events
        yield f"Log     {redis_cli(url, 'XRANGE', events, '-', '+', on_cluster=on_cluster)}"


def serve_on(listener: socket.socket, settings: Settings, entrance: Entrance) -> None:
    """Runs the API in this process, or in as many as the settings say. Raises Stop."""
    name = listener.getsockname()
    told = {
        "version": version("itemstore"),
        "address": name if isinstance(name, str) else f"{name[0]}:{name[1]}",
        "settings": told_settings(settings),
    }
    logger.info("The server starts", extra=told)
    try:
        if settings.workers == 1:
            run(listener, partial(application, settings), entrance)
            return
        os.environ |= settings.environment
        app = "itemstore.cli.application:application"
        with shared_directory(settings.data_dir):
            run_several(listener, app, settings.workers, entrance)
    except DidNotStart:
        message = "The server could not start; its log says why."
        raise Stop(message) from None
    finally:
        let_the_engine_stop()
