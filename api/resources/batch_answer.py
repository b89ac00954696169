"""What a batch is answered with: for each of its requests, what it alone would have been."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.api.http.dates import last_modified
from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.idempotency import REPLAYED
from itemstore.api.http.page_reply import PageReply, listed
from itemstore.api.http.preferences import preferred_return
from itemstore.api.http.reply import JSON, joined
from itemstore.api.http.request import Request
from itemstore.api.http.write_reply import written
from itemstore.api.resources.batch_requests import BatchedRequest
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.append import Checked
from itemstore.eventlog.transaction import Outcome
from itemstore.server.answer_head import Fields

_NAMES = (
    "ETag", "Last-Modified", "Event-Id", "Event-Type", "Location", "Content-Location",
    "Preference-Applied",
)  # fmt: skip
"""The header fields that stand in the answer to a request of a batch."""

_MEMBERS = {name.lower().encode(): f'"{name}":"'.encode() for name in _NAMES}


async def batch_reply(
    request: Request, requests: Sequence[BatchedRequest], outcomes: Sequence[Outcome]
) -> PageReply:
    """200 with the answers in the order of the requests; made in parts, as it may be large."""
    preferred = preferred_return(request.fields)

    def pieces_of(each: tuple[BatchedRequest, Outcome]) -> list[bytes]:
        asked, outcome = each
        if isinstance(outcome, RecordedEvent):
            return _written(request.root + asked.collection.path, asked, outcome)
        return _checked(outcome)

    answers = await listed(list(zip(requests, outcomes, strict=True)), pieces_of)
    headers = [JSON]
    if preferred is not None:
        headers.append((b"preference-applied", b"return=" + preferred.encode()))
    if request.outcome is not None:
        headers.append(REPLAYED)
    return PageReply(200, headers, [*joined([b'{"responses":[', *answers, b"]}"])])


def _written(base: str, asked: BatchedRequest, recorded: RecordedEvent) -> list[bytes]:
    reply = written(base, recorded, asked.preferred)
    head = b'{"status":%d,"headers":{%b}' % (reply.status, _members(reply.headers))
    return [head, b',"body":', reply.body, b"}"] if reply.body else [head, b"}"]


def _checked(checked: Checked) -> list[bytes]:
    if checked.version is None or checked.position is None:
        return [b'{"status":404,"headers":{}}']
    headers = [
        (b"etag", version_tag(checked.version)),
        (b"last-modified", last_modified(checked.position)),
    ]
    return [b'{"status":200,"headers":{%b}}' % _members(headers)]


def _members(headers: Fields) -> bytes:
    """The header fields as members of JSON. Their values have quotes in them, and nothing worse."""
    return b",".join(
        [
            _MEMBERS[name] + value.replace(b'"', rb"\"") + b'"'
            for name, value in headers
            if name in _MEMBERS
        ]
    )
