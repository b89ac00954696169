"""Commands: what is asked for, in the imperative.

A command names the item and carries an expected version. A body is JSON as UTF-8 bytes; the
domain never looks inside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.domain.expected import ANY, ExpectedVersion


@dataclass(frozen=True, slots=True)
class PutItem:
    """Make the item be this body, whether or not it exists."""

    item: str
    body: bytes
    expected: ExpectedVersion = ANY


@dataclass(frozen=True, slots=True)
class PatchItem:
    """Make an item that exists be this body, the outcome of a patch of what it was."""

    item: str
    body: bytes
    expected: ExpectedVersion = ANY


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Make an item that exists be no more. Its history stays."""

    item: str
    expected: ExpectedVersion = ANY


Command = PutItem | PatchItem | DeleteItem
