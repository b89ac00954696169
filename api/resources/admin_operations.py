"""`/admin/operations`: rebuilds and verifications, started, watched and cancelled by an admin."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.idempotency import refuse_key
from itemstore.api.http.json_body import Body, invalid_body, json_body
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import JSON, Header, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations as described
from itemstore.domain.places import place_of
from itemstore.eventlog.excerpts import quoted
from itemstore.projections.built_in import CURRENT_ITEMS
from itemstore.projections.own.handed import Handed
from itemstore.store.operations import (
    KEPT,
    VERIFY,
    Operation,
    OperationRunning,
    cancel,
    operation_of,
    operations,
)

PATH = "/admin/operations"

ACCEPTED = 202

router = APIRouter(route_class=Route)


class OperationRequest(Body):
    """What is to be carried out."""

    operation: Literal["rebuild", "verify"]
    projection: str | None = None
    collection: str | None = None
    dry_run: bool | None = None
    from_: str | None = Field(default=None, alias="from")


@router.get(
    PATH,
    **described.service(
        "operations",
        "The operations, the newest first.",
        content=described.json_of("OperationList"),
    ),
)
async def list_operations(request: Request) -> Reply:
    """What was started lately, and what came of it; for an admin.

    The one that runs, and the last 20 before it.
    """
    refuse_query(request)
    listed = await operations(request.store.partition)
    return _reply(200, {"operations": [each.as_dict() for each in listed]})


@router.post(
    PATH,
    **described.operation(
        "start_operation",
        {
            ACCEPTED: described.answer(
                "It has begun.", "Location", content=described.json_of("Operation")
            )
        },
        problems=(*described.ASKED, "operation-running", "log-full"),
        body=described.json_of("OperationRequest"),
        tag="service",
    ),
)
async def start_operation(request: Request) -> Reply:
    """Start a rebuild or a verification, for an admin: one at a time in the whole store."""
    refuse_query(request)
    refuse_key(request)
    operation = _operation(request, await json_body(request, OperationRequest))
    try:
        await request.context.operating.start(operation)
    except OperationRunning as running:
        raise await _running(request, running.id) from None
    location = (b"location", f"{request.root}{PATH}/{operation.id}".encode())
    return _reply(ACCEPTED, operation.as_dict(), location)


@router.get(
    PATH + "/{operation}",
    **described.service(
        "operation",
        "The operation.",
        "not-found",
        content=described.json_of("Operation"),
        parameters=("operation",),
    ),
)
async def one_operation(request: Request) -> Reply:
    """How far an operation is, or what came of it; for an admin."""
    refuse_query(request)
    return _reply(200, (await _found(request)).as_dict())


@router.delete(
    PATH + "/{operation}",
    **described.operation(
        "cancel_operation",
        {
            ACCEPTED: described.answer(
                "It is being cancelled.", content=described.json_of("Operation")
            )
        },
        problems=("not-found", "operation-ended", "malformed-header", "log-full"),
        parameters=("operation",),
        tag="service",
    ),
)
async def cancel_operation(request: Request) -> Reply:
    """Cancel an operation that runs, for an admin: it ends in order, and changes nothing."""
    refuse_query(request)
    refuse_key(request)
    operation = await _found(request)
    if not await cancel(request.store.partition, operation.id, request.actor):
        operation = await _found(request)
        raise Problem("operation-ended", f"It has ended already: it is {operation.status}.")
    return _reply(ACCEPTED, (await _found(request)).as_dict())


def _operation(request: Request, wanted: OperationRequest) -> Operation:
    """The operation that is wanted, to begin now. Raises Problem (422)."""
    collections = request.store.collections
    if wanted.collection is not None and wanted.collection not in collections:
        there = ", ".join(collections)
        sentence = f"There is no collection {quoted(wanted.collection)}; there are {there}"
        raise invalid_body(("/collection", sentence))
    projection = _projection(request, wanted)
    return Operation.new(
        wanted.operation,
        projection,
        wanted.collection,
        dry_run=bool(wanted.dry_run),
        started_by=request.actor,
        after=_after(request, wanted, projection),
    )


def _projection(request: Request, wanted: OperationRequest) -> str | None:
    """The name of the projection that is rebuilt; None for a verification."""
    if wanted.operation == VERIFY:
        for name in ("projection", "dry_run"):
            if getattr(wanted, name) is not None:
                sentence = "A verification compares all projections and changes none: leave it out"
                raise invalid_body((f"/{name}", sentence))
        return None
    name = CURRENT_ITEMS.name if wanted.projection is None else wanted.projection
    names = [each.name for each in request.context.shown_projections]
    if name not in names:
        sentence = f"There is no projection {quoted(name)}; there are {', '.join(names)}"
        raise invalid_body(("/projection", sentence))
    return name


def _after(request: Request, wanted: OperationRequest, projection: str | None) -> str | None:
    """The cursor after which events are handed over again. Raises Problem (422)."""
    handed = (each for each in request.context.shown_projections if isinstance(each, Handed))
    hands_over = projection in {each.name for each in handed}
    if wanted.from_ is None:
        if hands_over:
            sentence = "It hands events to others again: say after which; 0-0 for all of them"
            raise invalid_body(("/from", sentence))
        return None
    if not hands_over:
        sentence = "It is rebuilt from the first event on: leave it out"
        raise invalid_body(("/from", sentence))
    after = place_of(wanted.from_, len(request.store.sections))
    if after is None:
        sentence = "It takes a position, <milliseconds>-<number>, a cursor, or an RFC 3339 time"
        raise invalid_body(("/from", sentence))
    return after


async def _found(request: Request) -> Operation:
    """The operation in the path. Raises Problem (404)."""
    wanted = request.named("operation")
    found = await operation_of(request.store.partition, wanted)
    if found is None:
        sentence = f"There is no operation {quoted(wanted)}; the last {KEPT} are kept."
        raise Problem("not-found", sentence)
    return found


async def _running(request: Request, running: str) -> Problem:
    """What says that another operation runs, and which."""
    found = await operation_of(request.store.partition, running)
    which = "Another operation"
    if found is not None:
        what = "verification" if found.operation == VERIFY else f"rebuild of {found.projection}"
        by = "" if found.started_by is None else f" by {found.started_by}"
        which = f"A {what}, started at {found.started}{by},"
    path = f"{request.root}{PATH}/{running}"
    sentence = f"{which} is running, one at a time: wait for {path}, or cancel it with DELETE."
    return Problem("operation-running", sentence, members={"running": running})


def _reply(status: int, content: dict[str, Any], *headers: Header) -> Reply:
    """JSON as the command prints it, with escapes: an id that is found may be no UTF-8."""
    return Reply(status, [JSON, NO_STORE, *headers], json.dumps(content).encode())
