"""A digest of rows that does not depend on their order: two sets of rows are the same, or not.

It is the sum, modulo 2 to the 256, of the SHA-256 of every row: of the id, a zero byte, and the
row's text. A body longer than BODY stands in that text by its SHA-256, so that a fold
of the log needs to keep no more of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

BODY = 64
"""Bytes that a body may have to be kept as it is."""

_BEFORE_BODY = b',"data":'
_MODULUS = 1 << 256


class RowsDigest:
    """A digest, made by adding rows and taking them away again. `rows` counts them."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, item: bytes, reduced_row: bytes) -> None:
        """Adds a row, reduced."""
        self.rows += 1
        self._sum += _number(item, reduced_row)

    def remove(self, item: bytes, reduced_row: bytes) -> None:
        """Takes a row away, reduced."""
        self.rows -= 1
        self._sum -= _number(item, reduced_row)

    def plus(self, other: RowsDigest) -> RowsDigest:
        """The digest of the rows of both, without those that the other has taken away."""
        both = RowsDigest()
        both.rows, both._sum = self.rows + other.rows, self._sum + other._sum
        return both

    def __str__(self) -> str:
        return f"{self._sum % _MODULUS:064x}"


def sum_of(digests: Iterable[str]) -> str:
    """The digest of all rows together, by those of parts of them that have no row in common.

    So it does not depend on the partitions that the rows are in.
    """
    return f"{sum(int(each, 16) for each in digests) % _MODULUS:064x}"


def reduced(body: bytes) -> bytes:
    """What is kept of a body: all of a short one, the SHA-256 of a longer one."""
    return body if len(body) <= BODY else sha256(body).digest()


def reduced_row(row: bytes) -> bytes:
    """A row with its body reduced."""
    head, mark, rest = row.partition(_BEFORE_BODY)
    return head + mark + reduced(rest[:-1]) + rest[-1:]


def _number(item: bytes, reduced_row: bytes) -> int:
    return int.from_bytes(sha256(item + b"\0" + reduced_row).digest(), "big")
