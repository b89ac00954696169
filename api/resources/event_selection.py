"""Which events a request for the feed is about: of which collections, of which kind, since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from itemstore.api.gate.scoping import check_collection
from itemstore.api.http.query_parameters import Limit, Query, invalid_parameters
from itemstore.api.http.request import Request
from itemstore.api.resources.cursors import AfterPosition, OfLog
from itemstore.domain.events import RecordedEvent
from itemstore.domain.rfc3339 import parse_rfc3339
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.live_feed import Encoded
from itemstore.eventlog.reader import ABOUT_BYTES, LOOKED_AT, FeedReader, Within
from itemstore.store.excerpts import quoted
from itemstore.store.scope import Scope

NAMED = 20
"""Collections that a refusal names: a store may have many more."""

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

    after: AfterPosition = None
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
        there_are = [name for name in request.store.collections if scope.sees(name)]
        collections = frozenset(there_are)
        if wanted.source is not None:
            collections = frozenset(_named(request, wanted.source.split(","), there_are))
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


def _named(request: Request, sources: Sequence[str], there_are: Sequence[str]) -> list[str]:
    """The names of the collections with these paths."""
    by_path = {each.path: name for name, each in request.store.collections.items()}
    for source in sources:
        if source not in by_path:
            paths = [f"/{name}" for name in there_are[:NAMED]]
            if len(there_are) > NAMED:
                paths.append(f"{len(there_are) - NAMED} others")
            detail = f"There is no collection {quoted(source)}; there are {', '.join(paths)}."
            raise invalid_parameters([{"parameter": "source", "detail": detail}])
        check_collection(request, by_path[source])
    return [by_path[source] for source in sources]
