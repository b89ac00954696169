"""`itemstore serve`: the API, and the embedded engine where no other is named."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from errno import EADDRINUSE
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import uvicorn

from itemstore.cli.application import application
from itemstore.cli.connection import checked_settings
from itemstore.cli.descriptors import within_descriptors
from itemstore.cli.engine_url import redis_cli, without_secrets
from itemstore.cli.errors import Stop, told
from itemstore.cli.interruption import leave_signals_alone
from itemstore.cli.output import say
from itemstore.engine.connect import connect
from itemstore.engine.durability import Acknowledgement, UnsafeEngine, durability
from itemstore.engine.embedded import EngineError, run_in_turn
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.writable import check_writable
from itemstore.server.ending import be_watched, let_the_engine_stop
from itemstore.server.processes import DIRECTORY
from itemstore.server.protocol import Protocol
from itemstore.server.supervisor import Supervisor
from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName
from itemstore.store.settings import Settings
from itemstore.store.tokens import read_tokens

SHUTDOWN_SECONDS = 2

PATIENCE = 5.0
"""Seconds for which a port in use is waited for: the workers of a server that was killed end a
moment after it."""


def serve(options: Mapping[str, Any]) -> None:
    """Serves until it is told to stop. Raises Stop when it can't begin."""
    settings = checked_settings(options)
    try:
        ItemModel.named(settings.model)
    except UnknownName as error:
        raise Stop(str(error)) from None
    settings = within_descriptors(settings)
    with listening(settings) as listener, engine_of(settings) as settings:
        asyncio.run(check(settings))
        leave_signals_alone()
        announce(settings, listener)
        try:
            serve_on(listener, settings)
        finally:
            let_the_engine_stop()


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket that the API listens on. Raises Stop when it can't be had."""
    try:
        listener = _listener(settings.host, settings.port)
    except OSError as error:
        system = str(error.strerror).partition(" (")[0]  # Python adds the address to it
        why = "it is in use" if error.errno == EADDRINUSE else system
        message = (
            f"Can't listen on {settings.host}:{settings.port}: {why}. "
            "Choose another port with --port, or 0 for any free one."
        )
        raise Stop(message) from None
    with listener:
        listener.set_inheritable(True)
        yield listener


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens there, once what listens there now has gone. Raises OSError.

    All addresses of IPv6 (`::`) are all of IPv4 too, as elsewhere, where the system can do that.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = _is_all_of_ipv6(host)
    if both and not socket.has_dualstack_ipv6():
        both = False
        say(f"This system keeps IPv4 and IPv6 apart: {host} is reached over IPv6 only.")
    until = None
    while True:
        try:
            return socket.create_server(
                (host, port), family=family, backlog=2048, dualstack_ipv6=both
            )
        except OSError as error:
            if error.errno != EADDRINUSE or (until and time.monotonic() > until):
                raise
        if until is None:
            say(f"{host}:{port} is in use, waiting for it.")
            until = time.monotonic() + PATIENCE
        time.sleep(0.05)


def _is_all_of_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).is_unspecified
    except ValueError:
        return False


async def check(settings: Settings) -> None:
    """Raises Stop where the engine is away or unsafe, or where anybody could write."""
    keys = Keys(settings.namespace)
    try:
        async with connect(settings.redis_url or "") as redis:
            await durability(redis, keys, Acknowledgement.of(settings.durability))
            with suppress(LogUnavailable, LogFull, LogBroken):  # reads are served, and it is logged
                await check_writable(redis, keys)
            tokens = await read_tokens(redis, keys)
    except ValueError as error:
        message = f"--redis-url (ITEMSTORE_REDIS_URL): {error}"
        raise Stop(message) from None
    except (LogUnavailable, LogBroken, UnsafeEngine) as error:
        raise Stop(told(error)) from None
    if not (tokens or settings.may_be_open):
        message = (
            f"The store has no token, so anybody who reaches {settings.host} could write. Make "
            "one with `itemstore token create NAME --role writer`, listen on 127.0.0.1, or say "
            "--insecure-no-auth."
        )
        raise Stop(message)


@contextmanager
def engine_of(settings: Settings) -> Iterator[Settings]:
    """The settings that name an engine: the embedded one, which runs for the block, if no other."""
    if settings.redis_url is not None:
        yield settings
        return
    try:
        with run_in_turn(settings.data_dir, _say_who_is_waited_for) as engine:
            yield settings.model_copy(update={"redis_url": engine.url})
    except EngineError as error:
        raise Stop(str(error)) from None


def _say_who_is_waited_for(pid: int) -> None:
    say(f"The data directory is in use by another command, process {pid}; waiting for its end.")


def announce(settings: Settings, listener: socket.socket) -> None:
    """Says where everything is, and how to look at the log."""
    host, port = listener.getsockname()[:2]
    api = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    url = settings.redis_url or ""
    events = Keys(settings.namespace).events
    with suppress(OSError):  # nobody may read it, and the API is what matters
        print(f"API     {api}")
        print(f"Docs    {api}/docs")
        print(f"Engine  {without_secrets(url)}")
        print(f"Log     {redis_cli(url, 'XRANGE', events, '-', '+')}", flush=True)


def serve_on(listener: socket.socket, settings: Settings) -> None:
    """Runs the API in this process, or in as many as the settings say."""
    options: dict[str, Any] = {
        "loop": "uvloop",
        "http": Protocol,
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "log_level": "warning",
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
    }
    if settings.workers == 1:
        # A factory is called once uvicorn's handlers of signals are in place.
        config = uvicorn.Config(partial(application, settings), factory=True, **options)
        WatchedServer(config).run([listener])
        return
    for name, value in settings.model_dump(exclude_none=True).items():
        os.environ[f"ITEMSTORE_{name.upper()}"] = str(value)
    factory = "itemstore.cli.application:application"
    config = uvicorn.Config(factory, factory=True, workers=settings.workers, **options)
    with shared_directory(settings.data_dir):
        Supervisor(config, [listener]).run()


class WatchedServer(uvicorn.Server):
    """A server without a parent that would end it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn calls it. All handlers of signals are set at its end."""
        await super().startup(sockets)
        be_watched()


@contextmanager
def shared_directory(data_dir: Path) -> Iterator[None]:
    """Has the processes add up their metrics in a directory: a temporary one, or in the data.

    Without any they run all the same.
    """
    with ExitStack() as stack:
        for where in (None, data_dir):
            with suppress(OSError):
                directory = tempfile.TemporaryDirectory(prefix="itemstore-", dir=where)
                os.environ[DIRECTORY] = stack.enter_context(directory)
                break
        else:
            os.environ.pop(DIRECTORY, None)
            say(
                "No temporary directory can be written to, so each process shows its own metrics "
                "only. Set TMPDIR to one that can."
            )
        yield
