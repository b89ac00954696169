"""The tables of a rebuild: those of a collection that nobody asks, beside the live ones.

Each partition of a collection is rebuilt by itself, and has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from itemstore.eventlog.keys import Keys
from itemstore.projections.digest import reduced
from itemstore.projections.fold import State
from itemstore.projections.sql.changes import Change
from itemstore.projections.sql.checkpoints import Checkpoint, begin
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import create_items, quoted

PREFIX = "itemstore_rebuilt_"
"""What their names begin with; no collection has such a name."""


def name_of(keys: Keys, token: str) -> str:
    """What stands for the collection in the rebuild that holds the lease with this token."""
    return _prefix(keys) + token


def create(connection: Connection, name: str, begun: Checkpoint) -> None:
    """Makes them, empty, with a checkpoint before the first event of a log."""
    with connection.transaction():
        create_items(connection, name)
        begin(connection, name, begun)


def remove_all(connection: Connection, keys: Keys) -> None:
    """Removes what any rebuild of a partition has left."""
    left = [name for [name] in connection.rows("SELECT collection FROM itemstore_checkpoints")]
    for name in left:
        if name.startswith(_prefix(keys)):
            with connection.transaction():
                _remove(connection, name)


def states_in(connection: Connection, name: str) -> Iterator[tuple[bytes, State]]:
    """The items in them, deleted ones too, in the order of their ids; bodies are reduced."""
    rows = connection.rows(
        "SELECT id, version, position, created_position, body"  # noqa: S608 - quoted
        f" FROM {quoted(name)}"
        " UNION ALL SELECT id, version, position, created_position, NULL"
        " FROM itemstore_deleted WHERE collection = ? ORDER BY id",
        (name,),
    )
    for item, version, position, created, body in rows:
        kept = None if body is None else reduced(body.encode())
        yield item.encode(), (version, position.encode(), created.encode(), kept)


def changes_in(
    connection: Connection, name: str, items: Sequence[str]
) -> tuple[Sequence[Change], Sequence[Change]]:
    """Those of some items that exist, and those that were deleted."""
    marks = ", ".join("?" * len(items))
    existing = [
        Change(item, version, position, created, body.encode())
        for item, version, position, created, body in connection.rows(
            "SELECT id, version, position, created_position, body"  # noqa: S608 - quoted
            f" FROM {quoted(name)} WHERE id IN ({marks})",
            items,
        )
    ]
    deleted = [
        Change(item, version, position, created, b"")
        for item, version, position, created in connection.rows(
            "SELECT id, version, position, created_position FROM itemstore_deleted"  # noqa: S608 - marks only
            f" WHERE collection = ? AND id IN ({marks})",
            (name, *items),
        )
    ]
    return existing, deleted


def _prefix(keys: Keys) -> str:
    """What the names for a partition begin with: none is longer than PostgreSQL's may be."""
    named = keys.collection if keys.partition is None else f"{keys.collection} {keys.partition}"
    return f"{PREFIX}{sha256(named.encode()).hexdigest()[:12]}_"


def _remove(connection: Connection, name: str) -> None:
    connection.execute("DELETE FROM itemstore_checkpoints WHERE collection = ?", (name,))
    connection.execute("DELETE FROM itemstore_deleted WHERE collection = ?", (name,))
    connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
