"""The log as a stream: as JSON lines to its end, or live, as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.reply import joined
from itemstore.api.http.request import Request
from itemstore.api.http.stream_reply import Piece, StreamReply
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.resources.cursors import check_same_log, is_replaced, log_id
from itemstore.api.resources.event_selection import Selection
from itemstore.api.server_sent_events import comment, retry
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.cloudevents import LINES, pieces
from itemstore.eventlog.live_events import PAGE, PIECE_BYTES, Coming
from itemstore.eventlog.live_feed import FeedClosed, FellBehind
from itemstore.server.exchange import EVENT_STREAM
from itemstore.store.tokens import TokenExpired, TokenInvalid

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 15.0

LOOK = 1.0
"""Seconds between two looks whether a client that waits may still read."""

RETRY_MS = 1000

_FAREWELLS: dict[type[Exception], bytes] = {
    FellBehind: b"cut off for being too slow",
    FeedClosed: b"the server is going down",
}


def lines_reply(request: Request, start: str, selection: Selection) -> StreamReply:
    """The log as JSON lines. Raises Overloaded."""
    return _stream(request, LINES, _lines(request, start, selection))


def live_reply(request: Request, start: str, selection: Selection) -> StreamReply:
    """The log live. Raises Overloaded."""
    return _stream(request, EVENT_STREAM, _live(request, start, selection))


def _stream(
    request: Request, media_type: bytes, content: AsyncGenerator[Piece, None]
) -> StreamReply:
    """The content as a stream, if there is a place for one more. Raises Overloaded."""
    headers = [
        (b"content-type", media_type),
        log_id(request),
        NO_STORE,
        (b"x-accel-buffering", b"no"),
        BY_ACCEPT,
    ]
    request.context.admission.begin_stream()
    return StreamReply(200, headers, content, request.context.admission)


async def _lines(request: Request, start: str, selection: Selection) -> AsyncGenerator[Piece, None]:
    """The log as JSON lines, to where it ended when the last of it was read."""
    context, position, is_end = request.context, start, False
    within = selection.within(most_bytes=PIECE_BYTES)
    while not is_end:
        await request.check_still_allowed()
        async with context.admission.read_piece():
            part = await selection.reader.part_after(position, within)
            passed = [each for each in part.events() if selection.passes(each)]
            texts = [piece for each in passed for piece in (*pieces(each), b"\n")]
            position, is_end = part.position, part.is_end
            del part, passed  # what waits for the client is in memory once
        for piece in joined(texts):
            yield piece
    await check_same_log(request)


async def _live(request: Request, start: str, selection: Selection) -> AsyncGenerator[Piece, None]:
    """The log from a position on, for ever, as server-sent events."""
    feed, position = request.context.feed, start
    within = selection.within(PAGE, most_bytes=PIECE_BYTES)
    now = asyncio.get_running_loop().time
    yield retry(RETRY_MS)
    due = now() + KEEP_ALIVE_SECONDS
    is_live = False
    async with feed.following():
        while True:
            is_live = is_live or feed.holds(position)
            if (reason := await _reason_to_end(request)) is not None:
                yield reason
                return
            try:
                until = min(due, now() + LOOK)
                coming = await feed.after(
                    position, older=selection.reader, within=within, live=is_live, until=until
                )
            except TimeoutError:
                coming = Coming(position)
            except LogUnavailable:
                await asyncio.sleep(RETRY_MS / 1000)
                coming = Coming(position)
            except (FellBehind, FeedClosed) as end:
                if isinstance(end, FellBehind):
                    request.context.admission.cut("fell behind")
                yield comment(_FAREWELLS[type(end)] + b"; resume with Last-Event-ID")
                return
            except LogBroken as error:
                logger.warning("A stream was ended", extra={"reason": str(error)})
                yield comment(b"what comes next can't be read: " + _in_a_line(error))
                return
            position = coming.cursor
            frames = [event.text for event in coming.events if selection.passes(event)]
            if not frames and now() >= due:
                frames = [comment(b"still here")]
            for piece in joined(frames):
                yield memoryview(piece) if coming.is_shared else piece
                due = now() + KEEP_ALIVE_SECONDS


def _in_a_line(error: Exception) -> bytes:
    return " ".join(str(error).split()).encode(errors="replace")


async def _reason_to_end(request: Request) -> bytes | None:
    """The comment with which a stream ends now; None where it may go on."""
    try:
        await request.check_still_allowed()
    except TokenExpired:
        return comment(b"the token has expired")
    except TokenInvalid:
        return comment(b"the token was revoked, or one is needed now")
    if await is_replaced(request):
        return comment(b"another log has taken the place of this one; begin again")
    return None
