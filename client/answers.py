"""What the client gives: versions of items, events, and what became of a write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class ItemVersion(Generic[Body]):
    """An item as one version has it. `modified` is the time of the event that made it, in UTC.

    It is to the second, and to the millisecond in lists.
    """

    id: str
    version: int
    item: Body
    modified: datetime

    @property
    def etag(self) -> str:
        """The entity tag that HTTP has for it."""
        return f'"{self.version}"'


@dataclass(frozen=True, slots=True)
class Written(ItemVersion[Body]):
    """The version that a write made: `event` is the position of its event in the log.

    `created` says whether there was no item before, as 201 does. `replayed` says that this write
    had been carried out already, by an attempt whose answer was lost or by an earlier call with the
    same key, and this is the answer that it had.
    """

    event: str
    created: bool
    replayed: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did. `event` and `replayed` are as in Written."""

    id: str
    event: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A line of an item's list of versions: `type` is that of its event, `event` its position."""

    version: int
    type: str
    time: datetime
    event: str


@dataclass(frozen=True, slots=True)
class Page(Generic[Body]):
    """A page of a list. `after` is where the next one begins, None on the last.

    `total` is how many items match; None where there are more than the store counted. `position`,
    of queries alone, is that of the last event that the answer knows of.
    """

    items: list[ItemVersion[Body]]
    after: str | None
    total: int | None
    position: str | None


@dataclass(frozen=True, slots=True)
class Event(Generic[Body]):
    """An event of the log. `item` is the body that it left, None where it is a deletion.

    `subject` is the item's id, and `source` the path of its collection. `position` is where to go
    on after this event, and `log` in which log that is: keep both, where you follow. None where the
    answer does not say, as in the middle of a page of a store of several partitions.
    """

    id: str
    type: str
    subject: str
    source: str
    time: datetime
    version: int
    item: Body | None
    position: str | None
    log: str | None
    actor: str | None = None
    traceparent: str | None = None
    transaction: str | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What one request of a batch did. `item` is a plain dict, None where none was answered.

    `event` and `version` are None for a check, and `version` for a deletion.
    """

    status: int
    id: str
    version: int | None
    event: str | None
    item: dict[str, Any] | None

    @property
    def created(self) -> bool:
        """Whether there was no item before."""
        return self.status == 201  # noqa: PLR2004  # Created
