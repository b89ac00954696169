"""A page of events, of the whole log or of one item."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.api.http.links import next_page
from itemstore.api.http.page_reply import PageReply, listed
from itemstore.api.http.query_parameters import Query
from itemstore.api.http.reply import Headers, joined
from itemstore.api.http.request import Request
from itemstore.api.resources.cursors import log_id
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.cloudevents import BATCH, pieces


async def page_reply(
    request: Request,
    events: Sequence[RecordedEvent],
    wanted: Query,
    following: str | None,
    headers: Headers,
) -> PageReply:
    """The events, and where to go on: after the cursor `following`, if anything comes then."""
    headers = [(b"content-type", BATCH), log_id(request), *headers]
    if following is not None:
        headers.append(next_page(request.path, wanted, after=following, log=request.log_id))
    parts = [*joined([b"[", *await listed(events, pieces), b"]"])]
    return PageReply(200, headers, parts)
