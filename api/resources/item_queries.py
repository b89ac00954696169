"""Items found by what is in them: `where`, `order`, `search`, answered by the read model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from time import monotonic, perf_counter

from starlette.requests import ClientDisconnect

from itemstore.api.http.cache_control import NO_STORE, as_of
from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.links import next_page
from itemstore.api.http.page_reply import PageReply, listed
from itemstore.api.http.preconditions import conditions_of, not_modified
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import JSON, Header, Headers, joined
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply
from itemstore.api.http.vary import vary
from itemstore.api.query_counts import ANSWERED
from itemstore.api.resources.asked_query import AskedQuery, asked_query
from itemstore.api.resources.item_pages import ListQuery, listed_item, only_fields
from itemstore.api.resources.query_cursors import cursor_of_place
from itemstore.domain.cursors import is_beyond
from itemstore.domain.evolve import Item
from itemstore.domain.positions import START
from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive
from itemstore.projections.queries.indexes.declared import with_index
from itemstore.projections.queries.paths import path_written
from itemstore.projections.queries.query import Found, Plan, Query
from itemstore.projections.sql.errors import ReadModelBehind
from itemstore.server.request_head import MOST_URL
from itemstore.store.read_model import ReadModel

PATIENCE = 2.0
"""Seconds for which a query waits until the read model is as new as its client wants."""

VARY = vary(b"accept", b"prefer")

LOOK = 0.5
"""Seconds between two looks at whether the client is still there."""

_SET_BACK = "What queries are answered from was set back while the query ran, and is made again"

_TOO_LONG = (
    "The URL of the next page would be longer than the 8,000 bytes that are taken: what these "
    "items are ordered by is too long. Order by less, or by something shorter"
)


async def query_items(request: Request, wanted: ListQuery) -> AnyReply:
    """A page of what a query finds, with the position that it is as of.

    Raises Problem, InvalidQuery, QueryTooExpensive, SqlUnavailable, Overloaded.
    """
    began, name = perf_counter(), request.collection.name
    counts = request.context.queries
    try:
        reply, rows = await _answer(request, wanted)
    except ClientDisconnect:
        raise
    except Exception as error:
        _add_what_is_known(request, wanted, error)
        problem = problem_of(error)
        outcome = problem.type.slug if problem else "internal-error"
        counts.ended(name, outcome, perf_counter() - began)
        raise
    counts.ended(name, ANSWERED, perf_counter() - began, rows)
    return reply


def _add_what_is_known(request: Request, wanted: ListQuery, error: Exception) -> None:
    """Adds to an error what only the request knows, for who is told of it."""
    if isinstance(error, InvalidQuery):
        error.text = getattr(wanted, error.parameter, None)
    elif isinstance(error, QueryTooExpensive) and error.index is not None:
        indexes = request.store.settings.indexes
        setting = with_index(indexes, request.collection.name, error.index)
        error.is_declared = setting is None
        if request.scope.collections is None:  # it says what other collections have
            error.setting = setting


async def _answer(request: Request, wanted: ListQuery) -> tuple[AnyReply, int]:
    """The answer, and how many rows were looked at for it."""
    began, admission = monotonic(), request.context.admission
    model = _read_model(request)
    asked = asked_query(request, wanted)
    least = START
    if asked.at_least is not None:
        least = await _wait(request, model, asked.at_least)
    if (same := await _same_as_before(request, model, wanted, asked)) is not None:
        return same, 0
    with admission.apart():
        found = await _found(request, model, asked.query)
    if is_beyond(least, found.position, request.store.feed.partitions):
        raise ReadModelBehind(found.position, _SET_BACK)
    await request.context.tokens.check_after(began, request.token)
    headers = _headers(request, wanted, asked, found.position)
    if not asked.is_explained and (same := not_modified(request, headers)) is not None:
        return same, found.plan.looked_at
    async with admission.read(request.check_connected):
        return await _page(request, wanted, asked, found, headers), found.plan.looked_at


def _read_model(request: Request) -> ReadModel:
    """What queries are answered from. Raises Problem where the operator has turned it off."""
    model = request.context.read_model
    if model is None:
        raise Problem("queries-off", "Queries are turned off here (ITEMSTORE_SQL_URL=off).")
    return model


async def _wait(request: Request, model: ReadModel, position: str) -> str:
    """Waits until the read model is as new, and where it is then.

    Raises ReadModelBehind where it takes too long.
    """
    name = request.collection.name
    with request.context.admission.stream():
        at = await model.wait(name, position, PATIENCE)
    await request.check_connected()
    if at is None:
        now = await model.position(name)
        reason = (
            f"What queries are answered from is as of {now}, and did not get to {position} within "
            f"{PATIENCE:g} seconds"
        )
        raise ReadModelBehind(now, reason)
    return at


async def _same_as_before(
    request: Request, model: ReadModel, wanted: ListQuery, asked: AskedQuery
) -> AnyReply | None:
    """304 for a client that names the tag of the very same query, as of the same position.

    It can only have the tag from an answer to the query, so nothing has to be looked at again.
    """
    conditions = conditions_of(request)
    is_named = conditions.none_match not in (None, "*") and conditions.match is None
    if asked.is_explained or not is_named:
        return None
    position = await model.position(request.collection.name)
    return not_modified(request, _headers(request, wanted, asked, position))


async def _found(request: Request, model: ReadModel, query: Query) -> Found:
    """What the query finds; it ends where the client leaves."""
    finding = asyncio.ensure_future(model.find(query))
    try:
        while not (await asyncio.wait((finding,), timeout=LOOK))[0]:
            await request.check_connected()
        return finding.result()
    finally:
        finding.cancel()


def _headers(request: Request, wanted: ListQuery, asked: AskedQuery, position: str) -> Headers:
    """What a cache and a reader are told of an answer that is as of the position.

    One that is explained says how it was made that time, so it has no tag and is not kept.
    """
    headers = [(b"position", position.encode()), VARY]
    if asked.is_explained:
        return [*headers, (b"preference-applied", b"explain"), NO_STORE]
    depends_on: tuple[object, ...] = (request.scope, wanted.model_dump_json())
    if wanted.search is not None:  # what is searched changes with a setting, and not with an event
        depends_on = (*depends_on, request.store.settings.text)
    return [*headers, *as_of(position, *depends_on)]


async def _page(
    request: Request, wanted: ListQuery, asked: AskedQuery, found: Found, headers: Headers
) -> PageReply:
    items: Sequence[Item] = found.items
    if asked.fields is not None:
        items = await only_fields(request, asked.fields, items)
    cursor = None if found.next is None else cursor_of_place(found.next, asked.fingerprint)
    end: dict[str, object] = {"next": cursor}
    end["total" if found.total_is_exact else "total_at_least"] = found.total
    if asked.is_explained:
        end["plan"] = _plan(found.plan)
    tail = b"]," + json.dumps(end, ensure_ascii=False, separators=(",", ":")).encode()[1:]
    parts = [*joined([b'{"items":[', *await listed(items, listed_item), tail])]
    headers = [JSON, *headers]
    if cursor is not None:
        headers.append(_next_page(request, wanted, cursor))
    return PageReply(200, headers, parts)


def _plan(plan: Plan) -> dict[str, object]:
    """How a query was answered, with the index as people write it."""
    index = None if plan.index is None else str(path_written(plan.index))
    return {"index": index, "order": plan.order, "looked_at": plan.looked_at}


def _next_page(request: Request, wanted: ListQuery, cursor: str) -> Header:
    """The link to the next page. Raises InvalidQuery where no URL is as long."""
    link = next_page(request.base, wanted, after=cursor)
    if len(link[1]) > MOST_URL:
        raise InvalidQuery("order", _TOO_LONG)
    return link
