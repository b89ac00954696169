"""PostgreSQL: one database for a store, however many hosts serve it (docs/decisions/0059).

The driver is an extra: nothing imports it before a connection is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec

from itemstore.projections.sql.database import Connection, Database

SCHEMES = ("postgresql://", "postgres://")

SCHEMA = "itemstore"
"""What holds the tables; behind it, the namespace of a store that has one."""

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL, which cuts longer ones off without a word."""

READING_SECONDS, WRITING_SECONDS = 600.0, 3600.0
"""How long a statement may take that nobody limits otherwise."""

_DRIVER = "itemstore.projections.sql.postgres_driver"
_CONNECTION = "itemstore.projections.sql.postgres_connection"


class NotASqlUrl(ValueError):
    """A URL that is none of a database for queries. It says nothing of it: there is a password."""


@dataclass(frozen=True, slots=True)
class PostgresDatabase(Database):
    """A schema of a PostgreSQL database, which is made at the first connection for writing.

    `seconds` is how long a statement of a connection for reading may take, and how long it is
    waited for where PostgreSQL says nothing.
    """

    url: str = field(repr=False)
    schema: str = SCHEMA
    seconds: float = READING_SECONDS

    def reading(self) -> Connection:
        """A connection that can't change anything. The schema has to be there."""
        return self._connected(is_reading=True, seconds=self.seconds)

    def writing(self) -> Connection:
        """A connection for the one that follows. The schema is made where it is missing."""
        return self._connected(is_reading=False, seconds=WRITING_SECONDS)

    def _connected(self, *, is_reading: bool, seconds: float) -> Connection:
        connect = import_module(_CONNECTION).connected
        connection: Connection = connect(self.url, self.schema, is_reading, seconds)
        return connection


def postgres_database(
    url: str, namespace: str | None = None, seconds: float = READING_SECONDS
) -> PostgresDatabase:
    """The database at a URL, looked at but not connected to. Raises NotASqlUrl."""
    if not url.startswith(SCHEMES):
        raise NotASqlUrl(
            "This is not the URL of a database for queries. It is "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, sqlite:///PATH, or off."
        )
    if find_spec("psycopg") is None:
        raise NotASqlUrl(
            "PostgreSQL needs a driver that is not installed: pip install 'itemstore[postgres]'."
        )
    reason = import_module(_DRIVER).reason_against(url)
    if reason is not None:
        raise NotASqlUrl(
            f"This is not the URL of a PostgreSQL database: {reason}. It is "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in a password, %40 is @, %2F is /, "
            "%3A is :, %25 is %."
        )
    return PostgresDatabase(url, schema_of(namespace), seconds)


def schema_of(namespace: str | None) -> str:
    """The schema of a store. One whose name would be too long has a digest at its end."""
    name = f"{SCHEMA}_{namespace}" if namespace else SCHEMA
    encoded = name.encode()
    if len(encoded) <= LONGEST_NAME:
        return name
    digest = sha256(encoded).hexdigest()[:12]
    return encoded[: LONGEST_NAME - 13].decode(errors="ignore") + "_" + digest
