"""The rows of a partition beside what they should be, item by item, in the order of ids."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from itemstore.domain.positions import START, key_of
from itemstore.domain.positions import position_of as position_in
from itemstore.domain.rfc3339 import rfc3339
from itemstore.projections.digest import RowsDigest, reduced
from itemstore.projections.fold import State
from itemstore.projections.row import row_of
from itemstore.projections.sql.database import Connection, Row
from itemstore.projections.sql.tables import Index, quoted
from itemstore.projections.sql.writing import KeysOf

_COMPARED = ("id", "version", "created", "modified", "position", "created_position", "body")

STEP = 256
"""Rows that are compared before others have a turn."""

States = Iterable[tuple[bytes, State]]
"""Items as they should be, by their ids, in the order of these; their bodies are reduced."""


class Difference(NamedTuple):
    """What an item is, and what it should be: `kind` is `row`, `deleted`, `key` or `words`.

    Both are states; where these are the same, the texts of what is derived from them. None is
    nothing. `path` is that of a key.
    """

    kind: str
    item: bytes
    found: State | str | None
    expected: State | str | None
    path: str = ""

    @property
    def name(self) -> str:
        """What differs, for people."""
        of = f" {self.path} of" if self.path else ""
        return f"{self.kind}{of} {self.item.decode(errors='backslashreplace')}"

    @property
    def position(self) -> str:
        """That of the last event that either of the states has, START without one."""
        states = (each for each in (self.found, self.expected) if isinstance(each, tuple))
        return max((position_of(state) for state in states), key=key_of, default=START)


class StatesDigest(RowsDigest):
    """The digest of items in states."""

    def add_all(self, states: States) -> None:
        """Adds the rows of these."""
        for item, state in states:
            self.add(item, row_of(*state))


class Comparison:
    """Compares what a connection shows of a partition, as of one moment, with states.

    `digest` is that of all rows that were found, deleted items among them; `items` counts those of
    items that exist.
    """

    def __init__(
        self,
        connection: Connection,
        collection: str,
        indexes: Sequence[Index] = (),
        keys_of: KeysOf | None = None,
        number: int = 0,
    ) -> None:
        self.digest = RowsDigest()
        self.items = 0
        self._connection = connection
        self._collection = collection
        self._number = number
        # One that is not complete may have keys of the path that its column was of before.
        self._indexes = [each for each in indexes if each.is_complete and keys_of is not None]
        self._keys_of = keys_of

    def steps(self, expected: States) -> Generator[list[Difference]]:
        """Goes through all that there is of the partition, a step at a time."""
        keys = [each.column for each in self._indexes]
        names = ", ".join((*_COMPARED, *keys))
        rows = self._connection.rows(
            f"SELECT {names}, 0 AS is_deleted FROM {quoted(self._collection)}"  # noqa: S608 - quoted
            " WHERE partition = ?"
            " UNION ALL SELECT id, version, NULL, NULL, position, created_position, NULL"
            f"{', NULL' * len(keys)}, 1 FROM itemstore_deleted"
            " WHERE collection = ? AND partition = ? ORDER BY id, is_deleted",
            (self._number, self._collection, self._number),
        )
        found = ((_bytes(row[0]), row) for row in rows)
        for step in in_steps(paired(found, expected)):
            yield [each for pair in step for each in self._of(*pair)]

    def _of(self, item: bytes, row: Row | None, right: State | None) -> Iterator[Difference]:
        """What differs of one item."""
        if row is None:
            yield Difference(_kind(right), item, None, right)
            return
        _, version, created, modified, position, created_position, body, *keys, is_deleted = row
        state = _state(version, position, created_position, None if is_deleted else body)
        self.items += not is_deleted
        self.digest.add(item, row_of(*state))
        if state != right:
            yield Difference(_kind(state, right), item, state, right)
        elif not is_deleted:
            times = _times(created, modified), _times(rfc3339(created_position), rfc3339(position))
            if times[0] != times[1]:
                yield Difference("row", item, *times)
            yield from self._of_keys(item, _bytes(body), keys)

    def _of_keys(
        self, item: bytes, body: bytes, keys: Sequence[bytes | None]
    ) -> Iterator[Difference]:
        if self._keys_of is None:
            return
        right_keys = self._keys_of(self._indexes, body)
        for index, key, right in zip(self._indexes, keys, right_keys, strict=True):
            if key != right:
                yield Difference("key", item, _hex(key), _hex(right), index.path)


def _kind(*states: State | None) -> str:
    """Of what kind a difference is, between items that exist or were deleted."""
    return "row" if any(state and state[3] is not None for state in states) else "deleted"


def paired(
    found: Iterator[tuple[bytes, Any]], expected: Iterable[tuple[bytes, State]]
) -> Iterator[tuple[bytes, Any, State | None]]:
    """What there is and what there should be of each item, None where there is nothing."""
    rest = iter(expected)
    left, right = next(found, None), next(rest, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield *left, None
            left = next(found, None)
        elif left is None or right[0] < left[0]:
            yield right[0], None, right[1]
            right = next(rest, None)
        else:
            yield *left, right[1]
            left, right = next(found, None), next(rest, None)


def told(found: State | str | None) -> str | None:
    """An item's state, or what is derived from it, for people."""
    if not isinstance(found, tuple):
        return found
    version, position, created, body = found
    if body is None:
        data = "deleted"
    elif body.startswith(b"{"):
        data = body.decode(errors="backslashreplace")
    else:
        data = f"a body with the SHA-256 {body.hex()}"
    at, since = (each.decode(errors="backslashreplace") for each in (position, created))
    return f"version {version} at {at}, created at {since}: {data}"


def position_of(state: State) -> str:
    """Where the last event of an item is, START where somebody put something else there."""
    return position_in(state[1].decode(errors="replace")) or START


def _state(version: Any, position: Any, created: Any, body: Any) -> State:
    """A row as a fold has it, whatever somebody may have put there."""
    number = version if isinstance(version, int) else -1
    kept = None if body is None else reduced(_bytes(body))
    return number, _bytes(position), _bytes(created), kept


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


def _times(created: Any, modified: Any) -> str:
    return f"created {created}, modified {modified}"


def _hex(key: bytes | None) -> str | None:
    return None if key is None else _bytes(key).hex()


def in_steps(pairs: Iterator[Any]) -> Iterator[list[Any]]:
    """A part of them after the other, the last of which may be empty."""
    step: list[Any] = []
    for pair in pairs:
        step.append(pair)
        if len(step) == STEP:
            yield step
            step = []
    yield step
