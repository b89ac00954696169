"""`/items/{id}/versions/{n}`: an item as it was (RFC 7089, RFC 5829), compared, brought back."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import ORIGIN, REVALIDATE, for_ever
from itemstore.api.http.dates import event_date, last_modified, parse_rfc1123_date
from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.json_diff import diff
from itemstore.api.http.media_types import JSON_PATCH
from itemstore.api.http.paths import item_path
from itemstore.api.http.preconditions import conditions_of
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import (
    LAST_VERSION,
    Query,
    invalid_parameters,
    query,
    refuse_query,
)
from itemstore.api.http.reply import JSON, Headers, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.write_reply import write_reply
from itemstore.api.openapi import schemas
from itemstore.api.openapi.operations import (
    CONDITIONS,
    ITEM,
    REFUSED,
    SENT,
    WITHOUT_BODY,
    WRITE,
    answer,
    created,
    json_of,
    operation,
    updated,
)
from itemstore.api.resources.item_history import version, version_head
from itemstore.api.resources.item_writes import append, stored
from itemstore.domain.commands import PutItem
from itemstore.domain.errors import ItemNotFound
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.domain.positions import LARGEST
from itemstore.server.slow_work import QUICK_BYTES
from itemstore.store.json_text import check_json
from itemstore.store.model_errors import InvalidItem
from itemstore.store.quoting import quoted

router = APIRouter(route_class=Route)

PATCH = {JSON_PATCH: schemas.JSON_PATCH}

VERSION_NOT_THERE = ("item-not-found", "item-deleted", "version-not-found", "gone")
"""The problems of what needs a version."""

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


class DiffQuery(Query):
    """What a version is compared with."""

    from_: Annotated[
        int | None,
        Field(
            alias="from",
            ge=1,
            le=LAST_VERSION,
            description="The version to start from; the one before without it.",
        ),
    ] = None


@router.get(
    "/items/{id}/versions/{n}",
    **operation(
        "get_version",
        {
            200: answer(
                "The item as that version left it.",
                *("ETag", "Last-Modified", "Memento-Datetime", "Link"),
                content=ITEM,
            ),
            304: answer("The version is what the client has.", "ETag", "Last-Modified"),
        },
        problems=(*VERSION_NOT_THERE, "malformed-header", "unexpected-version", "invalid-item-id"),
        parameters=("id", "n", *CONDITIONS, "If-Modified-Since"),
    ),
)
async def get_version(request: Request) -> Reply:
    """The item as one version left it. It never changes, so it may be cached for ever."""
    refuse_query(request)
    number = _number(request)
    recorded = await version(request, number)
    body = _body(recorded)
    count = await request.store.log.version_count(request.item_id)
    headers = memento_headers(request, recorded, count)
    if conditions_of(request).has_version(recorded.item, number, recorded.position):
        return Reply(304, headers)
    return Reply(200, [JSON, *headers], body)


@router.get(
    "/items/{id}/versions/{n}/diff",
    **operation(
        "diff_versions",
        {
            200: answer(
                "What turns one version into the other.", content={JSON_PATCH: schemas.JSON_PATCH}
            )
        },
        problems=(*VERSION_NOT_THERE, "invalid-item-id"),
        query=DiffQuery,
        parameters=("id", "n"),
    ),
)
async def diff_versions(request: Request) -> Reply:
    """What changed from one version to another, as a JSON Patch (RFC 6902)."""
    number = _number(request)
    wanted = query(request, DiffQuery)
    start = wanted.from_ or number - 1
    if start == 0:
        detail = "Version 1 has none before it, so name the version to compare it with."
        raise invalid_parameters([{"parameter": "from", "detail": detail}])
    async with request.context.admission.read(request.check_connected):
        after = _body(await version(request, number))
        before = _body(await version(request, start))
        if len(before) + len(after) > QUICK_BYTES:
            patch = await request.worked_out(lambda: _compared(before, after))
        else:
            patch = _compared(before, after)
    headers = [(b"content-type", JSON_PATCH.encode()), *for_ever(request)]
    return Reply(200, headers, patch)


@router.post(
    "/items/{id}/revert",
    **operation(
        "revert_item",
        {
            200: updated("The item existed: an ItemUpdated with the version's body was appended."),
            201: created(
                "The item was deleted: an ItemCreated with the version's body was appended."
            ),
            204: WITHOUT_BODY,
        },
        problems=(*SENT, *VERSION_NOT_THERE, *REFUSED),
        parameters=("id", *CONDITIONS, *WRITE),
        body=json_of("Revert"),
    ),
)
async def revert_item(request: Request) -> Reply:
    """Make the item what an earlier version was: an ordinary write with that version's body."""
    refuse_query(request)
    _, document = await request.content()
    number = _wanted_version(check_json(document))
    body = await stored(request, _body(await version(request, number)))
    recorded = await append(request, lambda expected: PutItem(request.item_id, body, expected))
    return write_reply(request, recorded)


async def version_then(request: Request, date: str) -> Reply:
    """302 to the version that was current at a date: the item is its own TimeGate (§4.1)."""
    seconds = parse_rfc1123_date(date)
    if seconds is None:
        raise Problem(
            "malformed-header",
            f"Accept-Datetime is {quoted(date)}; "
            "it takes one date, as in Mon, 23 Nov 2026 08:09:06 GMT.",
        )
    # An HTTP date stands for its whole second.
    end = f"{max(seconds, 0) * 1000 + 999}-{LARGEST}"
    # Before the first version the first is chosen (§4.5.3), also before all positions.
    number = max(1, await request.store.log.version_at(request.item_id, end))
    head = await version_head(request, number)
    if head.type == ItemDeleted.__name__:
        raise ItemNotFound(request.item_id, deleted_version=number)
    headers: Headers = [
        (b"location", f"{versions_path(request)}/{number}".encode()),
        (b"vary", b"accept-datetime, " + ORIGIN),
        (b"link", links(request).encode()),
        REVALIDATE,
    ]
    return Reply(302, headers)


def memento_headers(request: Request, recorded: RecordedEvent, count: int) -> Headers:
    """The headers of a version: when it was, and where the others are."""
    path, number = origin(request) + versions_path(request), recorded.version
    listed = [links(request)]
    if number > 1:
        listed.append(f'<{path}/{number - 1}>; rel="predecessor-version"')
    if number < count:
        listed.append(f'<{path}/{number + 1}>; rel="successor-version"')
    return [
        (b"etag", version_tag(number)),
        (b"last-modified", last_modified(recorded.position)),
        (b"memento-datetime", event_date(recorded.position)),
        (b"link", ", ".join(listed).encode()),
        *for_ever(request, ORIGIN),
    ]


def links(request: Request) -> str:
    """Where the item, its TimeGate and its TimeMap are (RFC 5829 §3, RFC 7089 §2.2)."""
    item = origin(request) + item_path(request.root, request.item_id)
    return (
        f'<{item}>; rel="original timegate latest-version", '
        f'<{item}/versions>; rel="timemap version-history"; type="application/link-format"'
    )


def versions_path(request: Request) -> str:
    """The path of the item's versions."""
    return f"{item_path(request.root, request.item_id)}/versions"


def origin(request: Request) -> str:
    """Scheme and host, as the client knows them; empty where it does not say.

    Memento clients take the URIs of RFC 7089 for absolute ones, as they are in all its examples.
    """
    host = request.field(b"host") or ""
    if not _HOST.fullmatch(host):
        return ""
    forwarded = request.field(b"x-forwarded-proto")
    if forwarded and forwarded.partition(",")[0].strip().lower() == "https":
        return f"https://{host}"  # a proxy, the first of several, has ended TLS
    return f"{request.scope['scheme']}://{host}"


def _compared(before: bytes, after: bytes) -> bytes:
    """The JSON Patch from one body to another."""
    patch = diff(json.loads(before), json.loads(after))
    return json.dumps(patch, ensure_ascii=False, separators=(",", ":")).encode()


def _wanted_version(document: Any) -> int:
    number = document.get("version") if isinstance(document, dict) and len(document) == 1 else 0
    if isinstance(number, int | float) and not isinstance(number, bool):
        is_whole = number % 1 == 0  # 3.0 is an integer in JSON
        if is_whole and 1 <= number <= LAST_VERSION:
            return int(number)
    raise InvalidItem([("/version", 'send {"version": n}, the version to go back to, from 1')])


def _number(request: Request) -> int:
    text = request.parameters["n"]
    if text.isdigit() and len(text) < 16 and int(text) > 0:  # noqa: PLR2004 - 10**15 is enough
        return int(text)
    raise Problem("version-not-found", "A version is a whole number from 1.")


def _body(recorded: RecordedEvent) -> bytes:
    if isinstance(recorded.event, ItemDeleted):
        raise ItemNotFound(recorded.item, deleted_version=recorded.version)
    return recorded.event.body
