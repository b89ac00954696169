"""`/events` and `/items/{id}/events`: the log as pages, as JSON lines, or live (SSE)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.accept import preferred
from itemstore.api.http.cache_control import NO_STORE, REVALIDATE, as_of
from itemstore.api.http.preconditions import names_a_tag, not_modified
from itemstore.api.http.query_parameters import Limit, Query, query
from itemstore.api.http.reply import (
    AnyReply,
    Headers,
    PageReply,
    Piece,
    StreamReply,
    joined,
    listed,
)
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi.operations import (
    SAME,
    TAGGED,
    VALIDATED,
    answer,
    operation,
    text_of,
)
from itemstore.api.openapi.schemas import EVENTS
from itemstore.api.resources.cursors import (
    AfterPosition,
    OfLog,
    check_same_log,
    is_replaced,
    place_of,
    start_of,
)
from itemstore.api.resources.event_search import FeedQuery, Found, passes, search
from itemstore.api.resources.item_history import last_change
from itemstore.domain.events import RecordedEvent
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.entries import Within
from itemstore.eventlog.live import PIECE_BYTES, FeedClosed, FellBehind
from itemstore.store.cloudevents import BATCH, LINES, pieces
from itemstore.store.tokens import TokenInvalid

router = APIRouter(route_class=Route)

EVENT_STREAM = b"text/event-stream"

VARY = (b"vary", b"accept")

FORMS = (
    "application/cloudevents-batch+json",
    "application/json",
    "application/jsonl",
    "application/x-ndjson",
    "text/event-stream",
)
"""What Accept may name, the default first."""

KEEP_ALIVE_SECONDS = 15.0

LOOK = 1.0
"""Seconds between two looks whether a client that waits may still read."""

RETRY_MS = 1000
_FAREWELLS: dict[type[Exception], bytes] = {
    FellBehind: b"cut off for being too slow",
    FeedClosed: b"the server is going down",
}


class HistoryQuery(Query):
    """Which events of one item."""

    after: AfterPosition = None
    log: OfLog = None
    limit: Limit = 100
    order: Annotated[
        Literal["asc", "desc"], Field(description="Oldest first, or newest first.")
    ] = "asc"


@router.get(
    "/events",
    **operation(
        "list_events",
        {
            200: answer(
                "Events, oldest first.",
                *("ETag", "Link", "Log-Id"),
                content={FORMS[0]: EVENTS} | text_of("application/jsonl", "text/event-stream"),
            ),
            304: SAME,
        },
        problems=("malformed-cursor", "other-log", "gone", *TAGGED),
        query=FeedQuery,
        parameters=("Last-Event-ID", *VALIDATED),
    ),
)
async def list_events(request: Request) -> AnyReply:
    """The log: a page, JSON lines to its end, or a live stream, as Accept asks for."""
    wanted = query(request, FeedQuery)
    form = preferred(request, *FORMS)
    if form == "text/event-stream":
        last_id = request.field(b"last-event-id")
        start = await start_of(request, last_id or wanted.after, wanted.log)
        return _stream(request, EVENT_STREAM, live(request, start, wanted))
    start = await start_of(request, wanted.after, wanted.log)
    if form in {"application/jsonl", "application/x-ndjson"}:
        return _stream(request, LINES, lines(request, start, wanted))
    if names_a_tag(request) and not wanted.wait:
        headers = await _page_headers(request, wanted)
        if reply := not_modified(request, headers):
            return reply
    return await page(request, start, wanted)


@router.get(
    "/items/{id}/events",
    **operation(
        "list_item_events",
        {
            200: answer("The item's events.", "ETag", "Link", "Log-Id", content={FORMS[0]: EVENTS}),
            304: SAME,
        },
        problems=("item-not-found", "malformed-cursor", "other-log", "invalid-item-id", *TAGGED),
        query=HistoryQuery,
        parameters=("id", *VALIDATED),
    ),
)
async def item_events(request: Request) -> AnyReply:
    """The item's own events, oldest or newest first."""
    wanted = query(request, HistoryQuery)
    place, _ = await place_of(request, wanted.after, wanted.log)
    log, item = request.store.log, request.item_id
    count, position = await last_change(request)
    headers = [VARY, *as_of(position)]
    if reply := not_modified(request, headers):
        return reply
    behind = None if wanted.after is None else await log.version_at(item, place)
    async with request.context.admission.read(request.check_connected):
        if wanted.order == "asc":
            found = await log.history(item, behind or 0, wanted.limit)
            more = bool(found) and found[-1].version < count
        else:
            # Behind a position, going backwards, is before it.
            last = count if behind is None else await _before(request, place, behind)
            first = max(0, last - wanted.limit)
            found = await log.history(item, first, last - first, newest_first=True) if last else []
            more = bool(found) and found[-1].version > 1
        await check_same_log(request)
        following = found[-1].position if more and found else None
        return await _page_reply(request, found, wanted, following, headers)


async def page(request: Request, start: str, wanted: FeedQuery) -> PageReply:
    """One page of the log; with `wait` it waits for an event where the log has no more."""
    admission = request.context.admission
    async with admission.read(request.check_connected):
        headers = await _page_headers(request, wanted)
        found = await search(request, start, wanted)
        await check_same_log(request)
        if not (found.is_dry and wanted.wait):
            return await _found_reply(request, found, wanted, headers)
    found = await _when_there_is_more(request, found, wanted)
    return await _found_reply(request, found, wanted, headers)


async def _when_there_is_more(request: Request, found: Found, wanted: FeedQuery) -> Found:
    """What is found as soon as an event comes that passes, or when the time is over."""
    admission, feed = request.context.admission, request.context.feed
    now = asyncio.get_running_loop().time
    until = now() + wanted.wait
    with admission.stream(), suppress(FeedClosed):
        async with feed.following():
            while found.is_dry and now() < until:
                with suppress(TimeoutError):
                    await feed.after(found.position, until=min(until, now() + LOOK))
                await request.check_connected()
                if not await request.is_still_allowed():
                    raise TokenInvalid
                async with admission.read_piece():
                    found = await search(request, found.position, wanted)
                await check_same_log(request)
    return found


async def lines(request: Request, start: str, wanted: FeedQuery) -> AsyncGenerator[Piece, None]:
    """The log as JSON lines, to where it ended when the last of it was read."""
    context, position, is_end = request.context, start, False
    within = Within(bytes=PIECE_BYTES, kind=wanted.type or "")
    while not is_end:
        if not await request.is_still_allowed():
            raise TokenInvalid
        async with context.admission.read_piece():
            part = await context.store.log.part(position, within)
            passed = [each for each in part.events if passes(each, wanted)]
            texts = [piece for each in passed for piece in (*pieces(each), b"\n")]
            position, is_end = part.position, part.is_end
            del part, passed  # what waits for the client is in memory once
        for piece in joined(texts):
            yield piece
    await check_same_log(request)


async def live(request: Request, start: str, wanted: FeedQuery) -> AsyncGenerator[Piece, None]:
    """The log from a position on, for ever, as server-sent events.

    A comment has no empty line after it: some clients take that for an event without data.
    """
    feed, position = request.context.feed, start
    now = asyncio.get_running_loop().time
    yield b"retry: %d\n\n" % RETRY_MS
    due = now() + KEEP_ALIVE_SECONDS
    is_live = False
    async with feed.following():
        while True:
            is_shared = feed.holds(position)
            is_live = is_live or is_shared
            if (reason := await _reason_to_end(request)) is not None:
                yield reason
                return
            try:
                events = await feed.after(position, live=is_live, until=min(due, now() + LOOK))
            except TimeoutError:
                events = []
            except LogUnavailable:
                await asyncio.sleep(RETRY_MS / 1000)
                events = []
            except (FellBehind, FeedClosed) as end:
                if isinstance(end, FellBehind):
                    request.context.admission.cut("fell behind")
                yield b": %s; resume with Last-Event-ID\n" % _FAREWELLS[type(end)]
                return
            frames = [event.text for event in events if passes(event, wanted)]
            if events:
                position = events[-1].position
            if not frames and now() >= due:
                frames = [b": still here\n"]
            for piece in joined(frames):
                yield memoryview(piece) if is_shared else piece
                due = now() + KEEP_ALIVE_SECONDS


async def _reason_to_end(request: Request) -> bytes | None:
    """The comment with which a stream ends now; None where it may go on."""
    if not await request.is_still_allowed():
        return b": the token was revoked, or one is wanted now\n"
    if await is_replaced(request):
        return b": another log has taken the place of this one; begin again\n"
    return None


async def _before(request: Request, after: str | None, version: int) -> int:
    """The last version before a position, at which the item had `version`."""
    at = await request.store.log.positions(request.item_id, version - 1, 1)
    return version - 1 if at and at[0].decode() == after else version


async def _page_headers(request: Request, wanted: FeedQuery) -> Headers:
    """With a tag, but where the page waits for what is not there yet."""
    if wanted.wait:
        return [VARY, REVALIDATE]
    return [VARY, *as_of(await request.store.log.last_position())]


async def _found_reply(
    request: Request, found: Found, wanted: FeedQuery, headers: Headers
) -> PageReply:
    following = None if found.is_end else found.position
    return await _page_reply(request, found.events, wanted, following, headers)


async def _page_reply(
    request: Request,
    events: Sequence[RecordedEvent],
    wanted: Query,
    following: str | None,
    headers: Headers,
) -> PageReply:
    headers = [(b"content-type", BATCH), (b"log-id", request.log_id.encode()), *headers]
    if following is not None:
        parameters = wanted.model_dump(exclude_defaults=True, by_alias=True)
        parameters |= {"after": following, "log": request.log_id}
        if wait := parameters.get("wait"):
            parameters["wait"] = f"{wait:g}"  # as it was sent, and not 1.0
        link = f'<{request.path}?{urlencode(parameters)}>; rel="next"'
        headers.append((b"link", link.encode()))
    parts = [*joined([b"[", *await listed(events, pieces), b"]"])]
    return PageReply(200, headers, parts)


def _stream(
    request: Request, media_type: bytes, content: AsyncGenerator[Piece, None]
) -> StreamReply:
    """The content as a stream, if there is a place for one more. Raises Problem (503)."""
    headers = [
        (b"content-type", media_type),
        (b"log-id", request.log_id.encode()),
        NO_STORE,
        (b"x-accel-buffering", b"no"),
        VARY,
    ]
    request.context.admission.begin_stream()
    return StreamReply(200, headers, content, request.context.admission)
