"""Events of the log: read page by page to its end, or followed for ever."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypedDict, Unpack
from urllib.parse import parse_qsl, urlencode, urlsplit

from itemstore.client.answers import Body, Event
from itemstore.client.bodies import Bodies
from itemstore.client.event_stream import EventStream
from itemstore.client.exchange import Answer, Call, Course, Give, Open, Read, Request, Sleep
from itemstore.client.expected import expected, json_of
from itemstore.client.failures import (
    ConnectionFailed,
    StoreError,
    UnexpectedAnswer,
    failure_of,
)
from itemstore.client.retries import Retries, passing, told_wait

logger = logging.getLogger(__name__)

OK, NO_CONTENT = 200, 204

LONGEST_PAGE = 1000

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


IDLE = 45.0
"""Seconds: a stream says something every 15."""


class Which(TypedDict, total=False):
    """Which events, and from where on.

    `type`: `ItemCreated`, `ItemUpdated` or `ItemDeleted`. `item_id`: of this item alone. `after`:
    after this position; with the `log` that it is of, a log that is another one by now is refused
    with OtherLog. `since`: from this time on.
    """

    type: str | None
    item_id: str | None
    after: str | None
    log: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of which collections, type and item, and from where on."""

    sources: tuple[str, ...] = ()
    type: str | None = None
    item_id: str | None = None
    after: str | None = None
    log: str | None = None
    since: datetime | None = None

    def query(self) -> dict[str, str]:
        """The parameters. Raises ValueError for a time without a zone."""
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("since has no time zone: datetime(2026, 1, 31, tzinfo=UTC) has one.")
        values = {
            "source": ",".join(f"/{name}" for name in self.sources),
            "type": self.type,
            "item": self.item_id,
            "after": self.after,
            "log": self.log,
            "since": None if self.since is None else self.since.isoformat(),
        }
        return {name: value for name, value in values.items() if value}


def wanted(*collections: str, **which: Unpack[Which]) -> Wanted:
    """What is wanted of these collections, or of all."""
    return Wanted(collections, **which)


class Events(Generic[Body]):
    """Courses through the log, whose bodies are read as those of one collection."""

    def __init__(self, bodies: Bodies[Body], retries: Retries) -> None:
        self._bodies = bodies
        self._retries = retries

    def to_the_end(self, wanted: Wanted) -> Course[Event[Body]]:
        """The events that there are now."""
        return self._pages("/events", wanted.query())

    def of_item(self, item_path: str, *, newest_first: bool) -> Course[Event[Body]]:
        """An item's own events."""
        order = {"order": "desc"} if newest_first else {}
        return self._pages(f"{item_path}/events", order, has_positions=False)

    def follow(
        self, wanted: Wanted, idle: float, give_up_after: float | None
    ) -> Course[Event[Body]]:
        """The events that there are, and then what comes."""
        after, log = wanted.after, wanted.log
        failed, alive, retry = 0, time.monotonic(), 1.0
        while True:
            asked = Open(_stream_request(wanted, after, log), idle)
            answer: Answer | ConnectionFailed = yield asked
            failure = passing(answer)
            if failure is None:
                assert isinstance(answer, Answer)
                if answer.status == NO_CONTENT:
                    return
                log = _log_of(answer)
                stream = EventStream()
                while isinstance(received := (yield Read()), bytes):
                    failed, alive = 0, time.monotonic()
                    for each in stream.events(received):
                        after = each.id
                        yield Give(self._event(json.loads(each.data), after, log))
                retry = stream.retry or retry
                failure = received or ConnectionFailed("The store ended the stream.")
            failed += 1
            wait = self._pause(failed, retry, failure)
            if give_up_after is not None and time.monotonic() + wait > alive + give_up_after:
                raise failure
            logger.info(
                "A followed feed broke off",
                extra={"reason": str(failure), "after": after, "again_in": round(wait, 2)},
            )
            yield Sleep(wait)

    def _pause(self, failed: int, retry: float, failure: StoreError) -> float:
        """As the stream wants it, more after several failures, and not all readers at once."""
        spread = random.uniform(retry / 2, retry)  # noqa: S311
        return max(spread, self._retries.wait(failed, told_wait(failure)))

    def _pages(
        self, path: str, query: Mapping[str, str], *, has_positions: bool = True
    ) -> Course[Event[Body]]:
        asked: Mapping[str, str] | None = {"limit": str(LONGEST_PAGE)} | dict(query)
        while asked is not None:
            answer = yield from self._page(f"{path}?{urlencode(asked)}")
            events = _list_of(answer)
            end = answer.headers.get("position")
            for place, each in enumerate(events):
                is_last = place == len(events) - 1
                own = None if "@" in each["id"] else each["id"]
                position = (end if is_last and end else own) if has_positions else None
                yield Give(self._event(each, position, answer.headers.get("log-id")))
            asked = _next_of(answer)

    def _page(self, path: str) -> Call[Answer]:
        asked = Request("GET", path, {"accept": "application/cloudevents-batch+json"})
        return expected(asked, self._retries, OK)

    def _event(self, said: Mapping[str, Any], position: str | None, log: str | None) -> Event[Body]:
        return Event(
            id=said["id"],
            type=said["type"],
            subject=said["subject"],
            source=said["source"],
            time=datetime.fromisoformat(said["time"]),
            version=said["itemversion"],
            item=self._bodies.take(said["data"]) if "data" in said else None,
            position=position,
            log=log,
            actor=said.get("actor"),
            traceparent=said.get("traceparent"),
            transaction=said.get("transaction"),
        )


def _stream_request(wanted: Wanted, after: str | None, log: str | None) -> Request:
    query = wanted.query()
    if after is not None:
        query |= {"after": after}
    if log is not None and after is not None:
        query |= {"log": log}
    fields = {"accept": "text/event-stream", "accept-encoding": "identity"}
    return Request("GET", f"/events?{urlencode(query)}", fields)


def _log_of(answer: Answer) -> str | None:
    """The log that a stream is of. Raises StoreError for what is no stream."""
    if answer.status != OK:
        raise failure_of(answer)
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        raise UnexpectedAnswer("The answer is no stream of events: is this an item store?")
    return answer.headers.get("log-id")


def _list_of(answer: Answer) -> list[dict[str, Any]]:
    events = json_of(answer)
    if not isinstance(events, list):
        raise UnexpectedAnswer("The answer is no page of events.")
    return events


def _next_of(answer: Answer) -> dict[str, str] | None:
    """The query of the next page; its path is ours, whatever a proxy made of the link's."""
    link = _NEXT.search(answer.headers.get("link", ""))
    return dict(parse_qsl(urlsplit(link[1]).query)) if link else None
