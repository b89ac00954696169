"""`/batch`: several requests, carried out together in one moment, or none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from itemstore.api.http.patch import Change
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Route
from itemstore.api.openapi import operations
from itemstore.api.resources.batch_answer import batch_reply
from itemstore.api.resources.batch_plan import Plan, Rows
from itemstore.api.resources.batch_requests import BatchedRequest, Target, requests_of
from itemstore.api.resources.item_writes import ATTEMPTS
from itemstore.engine.errors import LogOverloaded
from itemstore.eventlog.appender import MOST_BYTES
from itemstore.eventlog.transaction import Outcome, TransactionRefused
from itemstore.server.slow_work import QUICK_BYTES

READ_AT_ONCE = 16
"""Items that are read, patched and let go again at a time: each may be as large as a body."""

router = APIRouter(route_class=Route)


@router.post(
    "/batch",
    **operations.operation(
        "batch",
        {
            200: operations.answer(
                "All were carried out; the answers, in the order of the requests.",
                "Preference-Applied",
                content=operations.json_of("BatchResponse"),
            )
        },
        problems=(
            *operations.SENT, "invalid-batch", "different-partitions", "malformed-patch",
            "item-not-found", "item-deleted", "patch-conflict", "unexpected-version",
            "precondition-required", "log-full",
        ),
        parameters=operations.WRITE,
        body=operations.json_of("BatchRequest"),
        tag="service",
    ),
)  # fmt: skip
async def batch(request: Request) -> AnyReply:
    """Carry out several requests in one moment, or none of them where one fails."""
    refuse_query(request)
    _, document = await request.content()
    is_long = len(document) > QUICK_BYTES
    if is_long or any(model.runs_code for model in request.context.models.values()):
        requests = await request.worked_out(lambda: requests_of(request, document))
    else:
        requests = requests_of(request, document)
    outcomes = request.outcome or await _carried_out(request, requests, is_long=is_long)
    return await batch_reply(request, requests, outcomes)


async def _carried_out(
    request: Request, requests: Sequence[BatchedRequest], *, is_long: bool
) -> Sequence[Outcome]:
    """What the requests became. Raises Problem, and what the log raises."""
    for _ in range(ATTEMPTS):
        plan = await _planned(request, requests, is_long=is_long)
        try:
            return await request.store.appender.append_together(
                plan.commands, request.meta, request.idempotency
            )
        except TransactionRefused as refused:
            error = plan.refusal(refused)
        if error is not None:
            raise error
    sentence = f"Other writers changed items of the batch {ATTEMPTS} times meanwhile; try again."
    raise LogOverloaded(sentence)


async def _planned(request: Request, requests: Sequence[BatchedRequest], *, is_long: bool) -> Plan:
    """The commands of the batch, on the items as they are now."""
    models, limit = request.context.models, request.store.settings.max_body
    plan = Plan(requests, models, limit, max(limit, MOST_BYTES))
    if not any(asked.depends for asked in requests):
        plan.add(requests, {})
        return plan
    for first in range(0, len(requests), READ_AT_ONCE):
        some = requests[first : first + READ_AT_ONCE]
        rows = await _rows(plan.unknown(some))
        if is_long or _takes_long(request, plan, some, rows):
            await request.worked_out(lambda some=some, rows=rows: plan.add(some, rows))  # type: ignore[misc]
        else:
            plan.add(some, rows)
        if plan.is_over:
            break
    return plan


async def _rows(unknown: Mapping[Target, BatchedRequest]) -> Rows:
    """The items as they are; one round trip for those of a collection."""
    reads = [asked.collection.items.get(asked.item) for asked in unknown.values()]
    return dict(zip(unknown, await asyncio.gather(*reads), strict=True))


def _takes_long(
    request: Request, plan: Plan, requests: Sequence[BatchedRequest], rows: Rows
) -> bool:
    """Whether the patches among these requests would hold up the event loop."""
    models = request.context.models
    return plan.work(requests, rows) > QUICK_BYTES or any(
        isinstance(asked.content, Change)
        and (asked.content.copies or models[asked.collection.name].runs_code)
        for asked in requests
    )
