"""`/projections` and `/stats`: how far the read models are, and what the statistics say.

With several collections each of them is told of, and a total; `?source=/products` asks for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import Query, query
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations
from itemstore.api.resources.progress_told import archive_described, described
from itemstore.api.resources.sources import collection_at
from itemstore.domain.cursors import cursor_at
from itemstore.domain.events import ITEMS
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.excerpts import quoted
from itemstore.eventlog.reader import Extent
from itemstore.projections.overview import (
    LogState,
    by_collection,
    log_states,
    projection_states,
)
from itemstore.projections.projection import Projection
from itemstore.projections.rebuild.receipt import Receipt, last_receipts, together
from itemstore.projections.sql.sql_projection import NAME as SQL
from itemstore.projections.statistics import (
    Statistics,
    in_total,
    of_a_collection,
    read_statistics,
)
from itemstore.store.archive_progress import progresses
from itemstore.store.collection import Collection
from itemstore.store.read_model import ReadModel

router = APIRouter(route_class=Route)


class SourceQuery(Query):
    """Of which collections."""

    source: Annotated[
        str | None,
        Field(description="Only of this collection: its path, such as `/items`.", max_length=64),
    ] = None


@router.get(
    "/projections",
    **operations.service(
        "projections",
        "Each projection.",
        content=operations.json_of("ProjectionList"),
        query=SourceQuery,
    ),
)
async def projections(request: Request) -> Reply:
    """Each projection: its position, how many events it lags behind, its rows, its last rebuild.

    And how far the archive is, which follows the logs as a projection does. Where some partitions
    are away, what is known of the others is told, and no sums.
    """
    asked = _asked_for(request, query(request, SourceQuery))
    content = await _told(request, asked, request.context.shown_projections)
    archive = await progresses(request.store) if request.scope.is_whole else None
    if archive is not None:
        content["archive"] = archive_described(archive)
    return json_reply(content, headers=[NO_STORE])


@router.get(
    "/projections/{projection}",
    **operations.service(
        "projection",
        "The projection, in each collection that it is for.",
        "not-found",
        content=operations.json_of("ProjectionList"),
        parameters=("projection",),
        query=SourceQuery,
    ),
)
async def one_projection(request: Request) -> Reply:
    """The same of one projection, without the archive."""
    asked = _asked_for(request, query(request, SourceQuery))
    wanted = request.named("projection")
    known = request.context.shown_projections
    one = [each for each in known if each.name == wanted]
    if not one:
        there = ", ".join(each.name for each in known)
        raise Problem("not-found", f"There is no projection {quoted(wanted)}; there are {there}.")
    return json_reply(await _told(request, asked, one), headers=[NO_STORE])


async def _told(
    request: Request, asked: Sequence[Collection], shown: Sequence[Projection]
) -> dict[str, Any]:
    """How far these projections are in these collections, and how long the log is.

    Raises LogUnavailable, LogBroken, SqlUnavailable.
    """
    logs = await log_states([one for each in asked for one in each.partitions])
    _refuse_if_all_are_away(logs)
    content: dict[str, Any] = {"log": _all_of(logs, len(request.store.sections))}
    states = by_collection(await projection_states(logs, shown))
    receipts = await _last_rebuilds(logs)
    told = [described(each, receipts.get((each.collection, each.projection))) for each in states]
    if (read_model := request.context.read_model) is not None:
        own = [(state, of) for state, of in zip(states, told, strict=True) if of["name"] == SQL]
        await _describe(read_model, [state.collection for state, _ in own], [of for _, of in own])
    content["projections"] = told
    if _is_of_several(request):
        content["logs"] = [_log_of(each.name, logs) for each in asked]
        for state, of in zip(states, told, strict=True):
            of["collection"] = state.collection
    return content


@router.get(
    "/stats",
    **operations.service(
        "statistics",
        "The statistics.",
        content=operations.json_of("Statistics"),
        query=SourceQuery,
    ),
)
async def statistics(request: Request) -> Reply:
    """How many items exist, and what happened when, as of `position`."""
    wanted = query(request, SourceQuery)
    asked = _asked_for(request, wanted)
    of_logs = await read_statistics([one for each in asked for one in each.partitions])
    count = len(request.store.sections)
    starts = range(0, len(of_logs), count)
    found = [of_a_collection(of_logs[start : start + count]) for start in starts]
    numbers = _numbers(in_total(found, count))
    if _is_of_several(request) and wanted.source is None:
        numbers["collections"] = {
            each.name: _numbers(own) for each, own in zip(asked, found, strict=True)
        }
    return json_reply(numbers, headers=[NO_STORE])


async def _describe(
    read_model: ReadModel, collections: Sequence[str], told: Sequence[dict[str, Any]]
) -> None:
    """Says what only the read model for queries has. Raises SqlUnavailable."""
    following = None
    with suppress(LogUnavailable):
        following = await read_model.is_followed()
    for of, made in zip(told, await read_model.made(collections), strict=True):
        of |= {"following": following, "indexes": made.indexes, "texts": made.texts}


def _is_of_several(request: Request) -> bool:
    """Whether the store has collections, and not only the one that there is without a setting."""
    return list(request.store.collections) != [ITEMS]


def _asked_for(request: Request, wanted: SourceQuery) -> Sequence[Collection]:
    """The collections that the request is about, of those in its scope.

    Raises Problem: 403 for one that is outside, 422 for one that there is not.
    """
    if wanted.source is not None:
        return [collection_at(request, wanted.source)]
    collections = request.store.collections.values()
    return [each for each in collections if request.scope.sees(each.name)]


def _refuse_if_all_are_away(logs: Sequence[LogState]) -> None:
    away = [each.log for each in logs if isinstance(each.log, LogUnavailable)]
    if away and len(away) == len(logs):
        raise away[0]


def _all_of(logs: Sequence[LogState], partitions: int) -> dict[str, Any]:
    """The last event of all, and how many there are; None where one is away. Raises LogBroken."""
    if any(isinstance(each.log, LogUnavailable) for each in logs):
        return {"position": None, "events": None}
    ends = [(START, 0)] * partitions
    for each in logs:
        place, log = each.partition.keys.partition or 0, _read(each.log)
        last, events = ends[place]
        ends[place] = max(last, log.last, key=key_of), events + log.events
    return {
        "position": cursor_at([last for last, _ in ends]),
        "events": sum(events for _, events in ends),
    }


def _log_of(collection: str, logs: Sequence[LogState]) -> dict[str, Any]:
    """The same of one collection."""
    own = [each for each in logs if each.collection == collection]
    return {"collection": collection} | _all_of(own, len(own))


def _read(log: Extent | Exception) -> Extent:
    if isinstance(log, Exception):
        raise log
    return log


async def _last_rebuilds(logs: Sequence[LogState]) -> dict[tuple[str, str], Receipt]:
    """The receipts of the last rebuilds, by collection and projection: partitions together.

    There is none of collections of which a partition is away.
    """
    away = {each.collection for each in logs if isinstance(each.log, LogUnavailable)}
    there = [each for each in logs if each.collection not in away]
    of_logs = await last_receipts([each.partition for each in there])
    found: dict[tuple[str, str], list[Receipt]] = {}
    for log, receipts in zip(there, of_logs, strict=True):
        for projection, receipt in receipts.items():
            found.setdefault((log.collection, projection), []).append(receipt)
    return {names: together(receipts) for names, receipts in found.items()}


def _numbers(numbers: Statistics) -> dict[str, Any]:
    days = {str(day): count for day, count in numbers.days.items()}
    return asdict(numbers) | {"days": days}
