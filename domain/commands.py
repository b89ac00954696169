"""Commands: what is asked for, in the imperative.

A command names the item and carries an expected version. A body is JSON as UTF-8 bytes; the
domain never looks inside it.
"""

from __future__ import annotations

from itemstore.domain.expected import ANY, ExpectedVersion
from itemstore.domain.values import value


@value
class PutItem:
    """Store this body as the item, whether or not it exists."""

    item: str
    body: bytes
    expected: ExpectedVersion = ANY


@value
class PatchItem:
    """Store this body, the outcome of a patch, as an item that exists."""

    item: str
    body: bytes
    expected: ExpectedVersion = ANY


@value
class DeleteItem:
    """Delete an item that exists. Its history stays."""

    item: str
    expected: ExpectedVersion = ANY


Command = PutItem | PatchItem | DeleteItem


@value
class CheckItem:
    """Nothing is to happen to the item, it only has to be as expected. It becomes no event."""

    item: str
    expected: ExpectedVersion
