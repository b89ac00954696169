"""`/events`: the log as a page, or as a stream."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import APIRouter

from itemstore.api.http.accept import preferred
from itemstore.api.http.cache_control import REVALIDATE, as_of
from itemstore.api.http.page_reply import PageReply
from itemstore.api.http.preconditions import names_a_tag, not_modified
from itemstore.api.http.query_parameters import query
from itemstore.api.http.reply import Headers
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.openapi import operations
from itemstore.api.resources.cursors import check_same_log, start_of
from itemstore.api.resources.event_pages import page_reply
from itemstore.api.resources.event_search import Found, search
from itemstore.api.resources.event_selection import FeedQuery, Selection
from itemstore.api.resources.event_stream import LOOK, lines_reply, live_reply
from itemstore.domain.cursors import furthest
from itemstore.domain.positions import START
from itemstore.eventlog.cloudevents import BATCH
from itemstore.eventlog.live_events import Coming
from itemstore.eventlog.live_feed import FeedClosed
from itemstore.eventlog.reader import Within

router = APIRouter(route_class=Route)

FORMS = (
    BATCH.decode(),
    "application/json",
    "application/jsonl",
    "application/x-ndjson",
    "text/event-stream",
)
"""What Accept may name, the default first."""


@router.get(
    "/events",
    **operations.page(
        "list_events",
        operations.answer(
            "Events, oldest first.",
            *("ETag", "Link", "Log-Id", "Position"),
            content=operations.EVENTS
            | operations.text_of("application/jsonl", "text/event-stream"),
        ),
        *("malformed-cursor", "other-log", "gone", *operations.OF_THE_PAST),
        query=FeedQuery,
        parameters=("Last-Event-ID",),
    ),
)
async def list_events(request: Request) -> AnyReply:
    """The log: a page, JSON lines to its end, or a live stream, as Accept asks for."""
    wanted = query(request, FeedQuery)
    selection = Selection.of(request, wanted)
    form = preferred(request, *FORMS)
    is_live = form == "text/event-stream"
    after = (is_live and request.field(b"last-event-id")) or wanted.after
    start = await start_of(request, selection.reader, after, wanted.log, wanted.since_ms)
    if is_live:
        return live_reply(request, start, selection)
    if form in {"application/jsonl", "application/x-ndjson"}:
        await _check_readable(request, start, selection)
        return lines_reply(request, start, selection)
    if names_a_tag(request) and not wanted.wait:
        headers = await _page_headers(request, selection)
        if reply := not_modified(request, headers):
            return reply
    return await _page(request, start, selection)


async def _check_readable(request: Request, start: str, selection: Selection) -> None:
    """Raises what reading on from there does, while the status can still say so.

    A live stream is not looked at so: a browser comes back to one that is cut off, and never to one
    that was refused.
    """
    admission = request.context.admission
    with admission.stream():
        async with admission.read_piece():
            await request.check_connected()
            await selection.reader.part_after(start, Within(1))


async def _page(request: Request, start: str, selection: Selection) -> PageReply:
    """One page of the log; with `wait` it waits for an event where the log has no more."""
    admission, wanted = request.context.admission, selection.wanted
    async with admission.read(request.check_connected):
        headers = await _page_headers(request, selection)
        end = await request.store.feed.end() if wanted.wait else START
        found = await search(request, start, selection)
        await check_same_log(request)
        if not (found.is_dry and wanted.wait):
            return await _found_reply(request, found, wanted, headers)
    found = await _when_there_is_more(request, found, end, selection)
    return await _found_reply(request, found, wanted, headers)


async def _when_there_is_more(
    request: Request, found: Found, end: str, selection: Selection
) -> Found:
    """What is found as soon as an event passes, or when the time is over.

    Nothing passes up to `end`, which may be far after the place where the search came to its own.
    """
    partitions = request.store.feed.partitions
    admission, feed = request.context.admission, request.context.feed
    now = asyncio.get_running_loop().time
    until = now() + selection.wanted.wait
    coming = Coming(furthest((found.position, end), partitions))
    with admission.stream(), suppress(FeedClosed):
        async with feed.following():
            while found.is_dry and now() < until:
                with suppress(TimeoutError):
                    coming = await feed.after(coming.cursor, until=min(until, now() + LOOK))
                await request.check_connected()
                await request.check_still_allowed()
                if any(map(selection.passes, coming.events)):
                    async with admission.read_piece():
                        found = await search(request, found.position, selection)
                    coming = Coming(coming.cursor)
                await check_same_log(request)
    return found


async def _page_headers(request: Request, selection: Selection) -> Headers:
    """With a tag, unless the page waits for events that are not there yet."""
    if selection.wanted.wait:
        return [BY_ACCEPT, REVALIDATE]
    position = await selection.feed.as_of()
    return [BY_ACCEPT, *as_of(position, request.scope)]


async def _found_reply(
    request: Request, found: Found, wanted: FeedQuery, headers: Headers
) -> PageReply:
    following = None if found.is_end else found.position
    if request.store.feed.partitions > 1:  # no event's id says where the page ends
        headers = [*headers, (b"position", found.position.encode())]
    return await page_reply(request, found.events, wanted, following, headers)
