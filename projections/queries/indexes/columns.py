"""The columns of sort keys of one collection: made, filled, and taken back.

From the moment that it stands in `itemstore_indexes`, a column is written with every row that the
log changes. The rows that were there before are filled by id, and then comes the SQL index. A
column whose path is not declared any more is emptied likewise, and waits for the next path: to take
it out of the table would mean to write all of the table again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from itemstore.projections.queries.indexes.bodies import keys_at
from itemstore.projections.queries.indexes.slices import LOCK_SECONDS, lock, rows_after
from itemstore.projections.queries.paths import Path
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import quoted, short_name


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the path whose keys are in it, None for one that waits for its next path.

    `filled_to` is the id up to which it is filled, or emptied; None where all of it is.
    """

    name: str
    path: str | None
    is_complete: bool
    filled_to: str | None


def settle(connection: Connection, collection: str, paths: Sequence[Path]) -> None:
    """Lets there be a column for each of the paths, and for no other.

    A new one is written from now on, and has nothing of the rows that are there.
    """
    wanted = [each.normalized for each in paths]
    columns = _columns(connection, collection)
    if {each.path for each in columns} - {None} == set(wanted):
        return
    with connection.transaction():
        connection.give_up_waiting_after(LOCK_SECONDS)
        lock(connection, collection)
        columns = _columns(connection, collection)
        free = [each for each in columns if each.path not in wanted]
        for each in free:
            if each.path is not None:
                _give_back(connection, collection, each)
        has = {each.path for each in columns}
        is_empty = not rows_after(connection, collection, "")
        for path in wanted:
            if path not in has:
                name = free.pop().name if free else _add(connection, collection)
                _note(connection, collection, name, path, None if is_empty else "")


def step(connection: Connection, collection: str) -> bool:
    """Fills or empties some rows, or makes an index of what is filled. Whether there was work."""
    columns = _columns(connection, collection)
    if not any(_has_work(each) for each in columns):
        return False
    with connection.transaction():
        lock(connection, collection)
        working = [each for each in _columns(connection, collection) if _has_work(each)]
        for each in working:
            if each.filled_to is None:
                _complete(connection, collection, each)
                return True
        if working:
            together = [each for each in working if each.filled_to == working[0].filled_to]
            _fill(connection, collection, together)
    return True


def index_name(collection: str, column: str) -> str:
    """What the SQL index of a column is called."""
    return short_name(f"{collection}_{column}")


def _has_work(column: Column) -> bool:
    return column.filled_to is not None or (column.path is not None and not column.is_complete)


def _columns(connection: Connection, collection: str) -> list[Column]:
    sql = (
        "SELECT column_name, path, is_complete, filled_to FROM itemstore_indexes "
        "WHERE collection = ? ORDER BY column_name"
    )
    rows = [*connection.rows(sql, (collection,))]
    return [Column(name, path, bool(is_complete), to) for name, path, is_complete, to in rows]


def _add(connection: Connection, collection: str) -> str:
    """One more column: k1, k2 and so on."""
    count = len(_columns(connection, collection))
    name = f"k{count + 1}"
    connection.execute(
        f"ALTER TABLE {quoted(collection)} ADD COLUMN {name} {connection.types.bytes}"
    )
    sql = (
        "INSERT INTO itemstore_indexes (collection, column_name, path, is_complete, filled_to) "
        "VALUES (?, ?, NULL, 0, NULL)"
    )
    connection.execute(sql, (collection, name))
    return name


def _give_back(connection: Connection, collection: str, column: Column) -> None:
    """Takes the column from its path."""
    connection.execute(f"DROP INDEX IF EXISTS {quoted(index_name(collection, column.name))}")
    _note(connection, collection, column.name, None, "")


def _note(
    connection: Connection, collection: str, name: str, path: str | None, filled_to: str | None
) -> None:
    """Notes what path a column is of, and how far it is."""
    sql = (
        "UPDATE itemstore_indexes SET path = ?, is_complete = 0, filled_to = ? "
        "WHERE collection = ? AND column_name = ?"
    )
    connection.execute(sql, (path, filled_to, collection, name))


def _complete(connection: Connection, collection: str, column: Column) -> None:
    """Makes the index of a column that is filled. It is of use with the end of the transaction."""
    index = quoted(index_name(collection, column.name))
    connection.execute(f"CREATE INDEX {index} ON {quoted(collection)} ({column.name}, id)")
    sql = "UPDATE itemstore_indexes SET is_complete = 1 WHERE collection = ? AND column_name = ?"
    connection.execute(sql, (collection, column.name))


def _fill(connection: Connection, collection: str, columns: Sequence[Column]) -> None:
    """Writes the keys of some rows into columns that are all filled equally far."""
    names = [each.name for each in columns]
    rows = rows_after(connection, collection, columns[0].filled_to or "", names)
    changes = []
    for item, body, *had in rows:
        keys = _keys(columns, body)
        if keys != had:
            changes.append((*keys, item))
    values = ", ".join(f"{each} = ?" for each in names)
    if changes:
        sql = f"UPDATE {quoted(collection)} SET {values} WHERE id = ?"
        connection.executemany(sql, changes)
    for each in columns:
        _note(connection, collection, each.name, each.path, rows[-1][0] if rows else None)


def _keys(columns: Sequence[Column], body: str) -> list[bytes | None]:
    """What belongs into the columns."""
    paths = [each.path for each in columns if each.path is not None]
    keys = iter(keys_at(paths, body) if paths else ())
    return [None if each.path is None else next(keys) for each in columns]
