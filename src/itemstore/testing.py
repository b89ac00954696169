"""Fixtures for the tests of applications: a store in process, a real server, and a clock.

pytest finds this module by its entry point. It imports nothing of the store before a fixture is
asked for, so tests that use none pay nothing for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from fakeredis import FakeServer
    from pydantic import BaseModel

    from itemstore.api.app import ItemStore
    from itemstore.store.settings import Settings

PATIENCE = 30.0
"""Seconds for a server to start and to end, and for an answer of the store in process."""


class ItemstoreClock:
    """The time of the fake engine. It goes by as always until it is set, and then stands still.

    What is made of it: positions, times of events, `Last-Modified`, `Accept-Datetime`, and how long
    an `Idempotency-Key` is kept. Not: when tokens expire, and what waits in this process.
    """

    def __init__(self) -> None:
        self._set_to: float | None = None
        self._last_told = 0.0

    def time(self) -> float:
        """Seconds since 1970, as the engine is told."""
        now = time.time() if self._set_to is None else self._set_to
        self._last_told = max(self._last_told, now)
        return now

    def now(self) -> datetime:
        """The time that it shows, in UTC."""
        return datetime.fromtimestamp(time.time() if self._set_to is None else self._set_to, UTC)

    def set(self, moment: datetime) -> None:
        """Stops it at a moment. Raises ValueError for one without a time zone, or before the last.

        The past can be chosen before the store is used for the first time. After that a log goes
        forward only: an event never gets a position before one that is there.
        """
        if moment.tzinfo is None:
            message = "The moment has no time zone: datetime(2026, 1, 31, tzinfo=UTC) has one."
            raise ValueError(message)
        if moment.timestamp() < self._last_told:
            last = datetime.fromtimestamp(self._last_told, UTC)
            message = f"The store has been used at {last.isoformat()}: its time only goes forward."
            raise ValueError(message)
        self._set_to = moment.timestamp()

    def advance(self, by: timedelta | float) -> None:
        """Sets it forward, by a timedelta or by seconds. Raises ValueError where that is back."""
        self.set(self.now() + (by if isinstance(by, timedelta) else timedelta(seconds=by)))


class _TimeModule(ModuleType):
    """What fakeredis has in place of the module `time`: the same, but for what time it is."""

    def __init__(self, clock: ItemstoreClock) -> None:
        super().__init__("time")
        self.time = clock.time

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@dataclass(frozen=True, slots=True)
class ItemstoreServer:
    """`itemstore serve`, running on a port and a directory of its own."""

    url: str
    directory: Path
    process: subprocess.Popen[str]


@pytest.fixture
def itemstore_settings() -> Settings | None:
    """Settings of the store in process. Yours to define again; None is what the variables say."""
    return None


@pytest.fixture
def itemstore_model() -> type[BaseModel] | None:
    """The model of the store's only collection. Yours to define again; None is the default."""
    return None


@pytest.fixture
def itemstore_collections() -> Mapping[str, type[BaseModel] | None] | None:
    """The store's collections, models by name. Yours to define again; None is `/items` alone."""
    return None


@pytest.fixture
def itemstore_options() -> list[str]:
    """Options of `itemstore serve` for the real server. Yours to define again."""
    return []


@pytest.fixture
def itemstore_engine() -> FakeServer:
    """What stands in for Redis in process. `connected = False` takes it away."""
    from fakeredis import FakeServer

    return FakeServer()


@pytest.fixture
def itemstore_clock(monkeypatch: pytest.MonkeyPatch) -> ItemstoreClock:
    """The engine's clock, to be set. It is for the store in process, not for the real server."""
    import fakeredis

    clock = ItemstoreClock()
    instead = _TimeModule(clock)
    modules = [module for name, module in sys.modules.items() if name.startswith("fakeredis")]
    assert fakeredis in modules
    for module in modules:
        if vars(module).get("time") is time:
            monkeypatch.setattr(module, "time", instead)
    return clock


@pytest.fixture
def itemstore_app(
    itemstore_engine: FakeServer,
    itemstore_settings: Settings | None,
    itemstore_model: type[BaseModel] | None,
    itemstore_collections: Mapping[str, type[BaseModel] | None] | None,
) -> Callable[[], ItemStore]:
    """Makes the application on the fake engine: one for each event loop that it is used in."""
    from fakeredis import FakeAsyncRedis

    from itemstore.api.app import create_app

    def make() -> ItemStore:
        return create_app(
            itemstore_settings,
            redis=FakeAsyncRedis(server=itemstore_engine),
            model=itemstore_model,
            collections=itemstore_collections,
        )

    return make


@pytest.fixture
def itemstore_async_client(itemstore_app: Callable[[], ItemStore]) -> httpx.AsyncClient:
    """An asynchronous client of the store in process. It holds nothing that has to be closed."""
    import httpx

    transport = _transport(itemstore_app())
    return httpx.AsyncClient(transport=transport, base_url="http://store", timeout=PATIENCE)


@pytest.fixture
def itemstore_client(itemstore_app: Callable[[], ItemStore]) -> Iterator[httpx.Client]:
    """A client of the same store for tests without `async`. The store has a thread of its own."""
    import httpx
    from anyio.from_thread import start_blocking_portal

    inner = _transport(itemstore_app())

    async def answer(request: httpx.Request) -> httpx.Response:
        response = await inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        body = b"".join([part async for part in response.stream])
        return httpx.Response(
            response.status_code, headers=response.headers.raw, stream=httpx.ByteStream(body)
        )

    with start_blocking_portal() as portal:

        def handle(request: httpx.Request) -> httpx.Response:
            request.read()
            return portal.call(answer, request)

        transport = httpx.MockTransport(handle)
        with httpx.Client(transport=transport, base_url="http://store", timeout=PATIENCE) as client:
            yield client


def _transport(app: ItemStore) -> httpx.AsyncBaseTransport:
    """The way to the application, on which the timeout of a request counts.

    httpx's own waits for the end of an answer however long that is, and a live stream has none.
    """
    import anyio
    import httpx

    inner = httpx.ASGITransport(app)

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                with anyio.fail_after(request.extensions.get("timeout", {}).get("read")):
                    return await inner.handle_async_request(request)
            except TimeoutError:
                message = "The answer did not end: a live stream needs the fixture itemstore_server"
                raise httpx.ReadTimeout(message, request=request) from None

    return Transport()


@pytest.fixture
def itemstore_server(itemstore_options: list[str]) -> Iterator[ItemstoreServer]:
    """A real server with an embedded engine, empty, on a free port. It ends with the test.

    Its settings are `itemstore_options` alone: a test never writes to an engine or an archive that
    a variable or a .env file of yours names.
    """
    with tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        command = [
            *(sys.executable, "-m", "itemstore", "serve", "--port", "0"),
            *("--data-dir", directory, *itemstore_options),
        ]
        with subprocess.Popen(  # noqa: S603  # it starts this package
            command, stdout=subprocess.PIPE, text=True, env=_variables()
        ) as process:
            try:
                yield ItemstoreServer(_url_of(process), Path(directory), process)
            finally:
                _end(process)


def _variables() -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    return others | {"PYTHONUNBUFFERED": "1", "ITEMSTORE_ENV_FILE": os.devnull}


def _is_setting(name: str) -> bool:
    return name.upper().startswith("ITEMSTORE_")


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    killer = threading.Timer(PATIENCE, process.kill)
    killer.start()
    try:
        words = process.stdout.readline().split()
    finally:
        killer.cancel()
    if len(words) < 2:  # noqa: PLR2004  # "itemstore <url>"
        message = "itemstore serve did not start: what it said is on stderr."
        raise RuntimeError(message)
    return words[1]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
