"""Where a store's read model is: what ITEMSTORE_SQL_URL says, and what goes without saying."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from itemstore.projections.sql.database import Database
from itemstore.projections.sql.postgres import PostgresDatabase, postgres_database
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.store.settings import Settings

OFF = "off"
"""What the setting says for no read model at all."""

FILE = "sqlite://"
"""What a URL begins with that names a file: a slash and its path follow."""


def database_of(settings: Settings, *, seconds: float | None = None) -> Database | None:
    """The database for queries, whether it is there yet or not; None where they are turned off.

    Without the setting it is a file in the data directory, also where the engine is another one.
    A read takes so many `seconds` at most, or as many as a query may. Raises NotASqlUrl.
    """
    url = settings.sql_url
    if url == OFF:
        return None
    if url is None:
        return SqliteDatabase(settings.data_dir.absolute() / file_name(settings.namespace))
    if url.startswith(FILE + "/"):
        return SqliteDatabase(Path(unquote(url.removeprefix(FILE + "/"))).absolute())
    return postgres_database(url, settings.namespace, seconds or settings.query_seconds)


def told(database: Database | None) -> str:
    """Where it is, for people, without who connects to it."""
    if isinstance(database, SqliteDatabase):
        return str(database.path)
    if isinstance(database, PostgresDatabase):
        return f"PostgreSQL, schema {database.schema}"
    return OFF


def file_name(namespace: str | None) -> str:
    """The name of the file. Stores that share a directory have one each."""
    return f"queries-{quote(namespace, safe='')}.sqlite" if namespace else "queries.sqlite"
