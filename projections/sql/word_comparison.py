"""The words that are kept of a partition's items, beside those that their bodies have."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from hashlib import sha256

from itemstore.domain.partitions import partition_of
from itemstore.projections.sql.comparison import Difference, in_steps
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import quoted
from itemstore.projections.sql.writing import Text

SHOWN = 10
"""Words of an item that are shown."""


def differing_words(
    connection: Connection, collection: str, text: Text, number: int = 0, partitions: int = 1
) -> Generator[list[Difference]]:
    """Finds the items whose words are not those of their bodies, a step at a time.

    Words are kept of all partitions together, so it passes by those that are not of the one. It
    reads one table after the other, and notes eight bytes for each item in between.
    """
    right: dict[str, bytes] = {}
    table = quoted(collection)
    rows = connection.rows(
        f"SELECT id, body FROM {table} WHERE partition = ? ORDER BY id",  # noqa: S608 - quoted
        (number,),
    )
    for step in in_steps(rows):
        for item, body in step:
            right[str(item)] = _digest(text.words_in(body))
        yield []
    for found in in_steps(text.rows(connection)):
        yield [
            each
            for item, words in found
            if partition_of(str(item), partitions) == number
            for each in _of(str(item), words, right)
        ]
    for missing in in_steps(iter(right)):
        yield [
            Difference("words", item.encode(), None, "those of its body")
            for item in missing
            if text.filled_to is None or item.encode() <= text.filled_to.encode()
        ]


def _of(item: str, words: frozenset[str], right: dict[str, bytes]) -> Iterator[Difference]:
    wanted = right.pop(item, None)
    if wanted is None:
        yield Difference("words", item.encode(), _told(words), None)
    elif wanted != _digest(words):
        yield Difference("words", item.encode(), _told(words), "those of its body")


def _digest(words: frozenset[str]) -> bytes:
    return sha256(" ".join(sorted(words)).encode()).digest()[:8]


def _told(words: frozenset[str]) -> str:
    some = sorted(words)
    return " ".join(some[:SHOWN]) + (" …" if len(some) > SHOWN else "") or "no words"
