"""Which events a request for the feed is about: of which collections, of which kind, since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from itemstore.api.http.query_parameters import Limit, Query
from itemstore.api.http.request import Request
from itemstore.api.resources.cursors import AfterCursor, OfLog
from itemstore.api.resources.sources import collection_at
from itemstore.domain.events import RecordedEvent
from itemstore.domain.rfc3339 import parse_rfc3339
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.live_events import Encoded
from itemstore.eventlog.reader import ABOUT_BYTES, LOOKED_AT, FeedReader, Within
from itemstore.store.scope import Scope

EventType = Literal["ItemCreated", "ItemUpdated", "ItemDeleted"]


def _time(text: str) -> str:
    try:
        parse_rfc3339(text)
    except ValueError:
        sentence = "It must be a time of RFC 3339, as in 2026-11-23T08:09:06Z."
        raise PydanticCustomError("time", sentence) from None
    return text


class FeedQuery(Query):
    """Which events of the log."""

    after: AfterCursor = None
    log: OfLog = None
    since: Annotated[
        str | None,
        AfterValidator(_time),
        Field(
            description="Only events from this time on.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    limit: Limit = 100
    source: Annotated[
        str | None,
        Field(
            description="Only events of these collections: their paths, as `source` has them, "
            "with commas in between."
        ),
    ] = None
    type: Annotated[EventType | None, Field(description="Only events of this type.")] = None
    item: Annotated[str | None, Field(description="Only events of this item.")] = None
    wait: Annotated[
        float, Field(ge=0, le=60, description="Seconds to wait for an event where there is none.")
    ] = 0

    @property
    def since_ms(self) -> int:
        """The time of `since` in milliseconds since 1970; 0 where it is not given."""
        return 0 if self.since is None else parse_rfc3339(self.since)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for, and the logs that have it: those that the request may read."""

    wanted: FeedQuery
    scope: Scope
    collections: frozenset[str]
    feed: Feed

    @classmethod
    def of(cls, request: Request, wanted: FeedQuery) -> Selection:
        """That of a request. Raises Problem for a `source` that is none (422), or barred (403)."""
        scope = request.scope
        if wanted.source is None:
            collections = frozenset(filter(scope.sees, request.store.collections))
        else:
            sources = wanted.source.split(",")
            collections = frozenset(collection_at(request, each).name for each in sources)
        return cls(wanted, scope, collections, request.store.feed.of(collections))

    @property
    def reader(self) -> FeedReader:
        """What reads these logs."""
        return self.feed.reader

    def within(
        self, entries: int = LOOKED_AT, looked: int = LOOKED_AT, most_bytes: int = ABOUT_BYTES
    ) -> Within:
        """A step of the reader that leaves in the engine what is not asked for."""
        wanted = self.wanted
        return Within(
            entries, looked, most_bytes, wanted.type or "", self.scope.prefixes, wanted.item
        )

    def passes(self, event: RecordedEvent | Encoded) -> bool:
        """Whether the event is asked for, and the scope has its item."""
        wanted = self.wanted
        return (
            event.collection in self.collections
            and (wanted.type is None or event.type == wanted.type)
            and (wanted.item is None or event.item == wanted.item)
            and self.scope.may_touch(event.collection, event.item)
        )
