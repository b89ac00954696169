"""PostgreSQL's driver as the read model needs it: how it connects, how long it waits, what is read.

It is imported where there is a database to connect to, and nowhere else.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from itemstore.projections.sql.database import Row

T = TypeVar("T")

CONNECT_SECONDS = 2
"""How long a server may take to let somebody in; the least that the driver knows."""

DEAD_MILLISECONDS = 20_000
"""After so long without an acknowledgement, a host is taken for one that is gone."""

SHORTEST_WAIT = 0.2
"""Seconds that are waited for an answer however late it is."""

LAST_PORT = 65535

_CONNECTING: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": DEAD_MILLISECONDS,
    "fallback_application_name": "itemstore",
}


def reason_against(url: str) -> str | None:
    """Why a URL is none of PostgreSQL's, without a piece of it, which may be the password."""
    try:
        parameters = conninfo_to_dict(url)
        ports = str(parameters.get("port") or "").split(",")
        if not all(not port or (port.isdecimal() and 0 < int(port) <= LAST_PORT) for port in ports):
            return "a port is a number from 1 to 65535"
    except psycopg.Error:
        return "it can't be read"
    return None


def connect(url: str) -> ImpatientConnection:
    """A connection whose values are read as those of SQLite are. Raises psycopg.Error."""
    said = conninfo_to_dict(url)
    own = {name: value for name, value in _CONNECTING.items() if name not in said}
    connection = ImpatientConnection.connect(
        url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor, **own
    )
    connection.adapters.register_loader("json", TextLoader)
    connection.adapters.register_loader("timestamptz", _TimeLoader)
    connection.adapters.register_dumper(bool, _BoolDumper)
    return connection


def place_of(url: str) -> str:
    """Where a database is, in words, without who connects to it."""
    parameters = conninfo_to_dict(url)
    place = ""
    if "host" in parameters or "hostaddr" in parameters:
        place = f" at {parameters.get('host') or parameters.get('hostaddr')}"
    database = f", database {parameters['dbname']}" if "dbname" in parameters else ""
    return f"PostgreSQL{place}{database}"


class ImpatientConnection(psycopg.Connection[Row]):
    """A connection that waits for no answer after a point in time, if it has one."""

    until: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """What the generator returns. Raises OperationalError where it takes too long."""
        if timeout is None and self.until is not None:
            timeout = max(SHORTEST_WAIT, self.until - monotonic())
        try:
            return super().wait(gen, interval, timeout)
        except errors.OperationalError as error:
            if (
                error.sqlstate is None
                and self.pgconn.transaction_status == TransactionStatus.ACTIVE
            ):
                self.close()
                raise psycopg.OperationalError("it does not answer") from error
            raise


class _TimeLoader(Loader):
    """A time in UTC as it was written, with milliseconds at least."""

    def load(self, data: Buffer) -> str:
        """As RFC 3339 has it."""
        day, _, time = bytes(data).decode().removesuffix("+00").partition(" ")
        seconds, _, fraction = time.partition(".")
        return f"{day}T{seconds}.{fraction:0<3}Z"


class _BoolDumper(Dumper):
    """A truth value is a number, as in SQLite."""

    def dump(self, obj: bool) -> Buffer:  # noqa: FBT001 - the driver's way
        """Its text."""
        return b"1" if obj else b"0"
