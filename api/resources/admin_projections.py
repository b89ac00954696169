"""`/admin/projections`: events that a projection of the operator's own has set aside; going on.

It is what `itemstore projection` does, for an admin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.idempotency import refuse_key
from itemstore.api.http.json_body import Body, invalid_body, json_body
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import Limit, Query, query, refuse_query
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations as described
from itemstore.domain.cursors import ID_PATTERN
from itemstore.eventlog.partition import Partition
from itemstore.projections.own import dead_letters
from itemstore.store.own_projections import NothingHandled, partitions_handled

PATH = "/admin/projections/{projection}"

OK, ACCEPTED = 200, 202

MOST_IDS = 1000
"""Events that one request names."""

router = APIRouter(route_class=Route)


class DeadLetterQuery(Query):
    """Which of those that are set aside."""

    limit: Limit = 100
    after: Annotated[
        str | None,
        Field(
            description="Only those after this event: `next` of the page before.",
            pattern=ID_PATTERN,
            max_length=64,
        ),
    ] = None


class DeadLetterRequest(Body):
    """Which of those that are set aside: these, or all of them."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MOST_IDS)] | None = None
    all: bool | None = None


@router.get(
    PATH + "/dead-letters",
    **described.service(
        "dead_letters",
        "A page of them, the oldest events first.",
        "not-found",
        content=described.json_of("DeadLetterPage"),
        parameters=("projection",),
        query=DeadLetterQuery,
    ),
)
async def list_dead_letters(request: Request) -> Reply:
    """The events that a projection has set aside, and why; for an admin."""
    asked = query(request, DeadLetterQuery)
    name, partitions = await _handled(request)
    page = await dead_letters.page_of(partitions, name, asked.after, asked.limit)
    content = {
        "dead_letters": [each.as_dict() for each in page.letters],
        "next": page.next,
        "total": page.total,
    }
    headers = [NO_STORE]
    if page.next is not None:
        path = f"{request.root}{request.path}?limit={asked.limit}&after={quote(page.next)}"
        headers.append((b"link", f'<{path}>; rel="next"'.encode()))
    return json_reply(content, headers=headers)


def _with_dead_letters(name: str, status: int, said: str) -> dict[str, Any]:
    """The description of an operation that does something with those that its body chooses."""
    return described.operation(
        name,
        {status: described.answer(said, content=described.json_of("DeadLettersDone"))},
        problems=(*described.ASKED, "not-found", "log-full"),
        parameters=("projection",),
        body=described.json_of("DeadLetterRequest"),
        tag="service",
    )


@router.post(
    PATH + "/dead-letters/retry",
    **_with_dead_letters(
        "retry_dead_letters", ACCEPTED, "They are tried again once each, within seconds."
    ),
)
async def retry_dead_letters(request: Request) -> Reply:
    """Have events that are set aside tried again, for an admin: these, or all of them."""
    name, partitions, ids = await _chosen(request)
    return _done(ids, await dead_letters.retry(partitions, name, ids), ACCEPTED)


@router.post(
    PATH + "/dead-letters/drop",
    **_with_dead_letters("drop_dead_letters", OK, "They are forgotten, and stay in the log."),
)
async def drop_dead_letters(request: Request) -> Reply:
    """Forget events that are set aside, for an admin: these, or all of them."""
    name, partitions, ids = await _chosen(request)
    return _done(ids, await dead_letters.drop(partitions, name, ids), OK)


@router.post(
    PATH + "/resume",
    **described.operation(
        "resume_projection",
        {
            ACCEPTED: described.answer(
                "Whether it had stopped or waited; it goes on within seconds.",
                content=described.json_of("Resumed"),
            )
        },
        problems=("not-found", "malformed-header", "log-full"),
        parameters=("projection",),
        tag="service",
    ),
)
async def resume_projection(request: Request) -> Reply:
    """Have a projection that has stopped, or waits, try at once; for an admin."""
    refuse_query(request)
    refuse_key(request)
    name, partitions = await _handled(request)
    resumed = await dead_letters.resume(partitions, name)
    return json_reply({"resumed": resumed}, status=ACCEPTED, headers=[NO_STORE])


async def _handled(request: Request) -> tuple[str, Sequence[Partition]]:
    """The name in the path, and the logs of which such a projection has handled events.

    Raises Problem (404).
    """
    name = request.named("projection")
    try:
        return name, await partitions_handled(request.store, name)
    except NothingHandled as error:
        raise Problem("not-found", str(error)) from None


async def _chosen(request: Request) -> tuple[str, Sequence[Partition], Sequence[str] | None]:
    """The name, the logs, and the ids in the body, None for all. Raises Problem (404, 422)."""
    refuse_query(request)
    refuse_key(request)
    wanted = await json_body(request, DeadLetterRequest)
    if (wanted.ids is not None) is (wanted.all is True):
        raise invalid_body(("", "It takes either ids, a list of events, or all, which is true"))
    return *(await _handled(request)), wanted.ids


def _done(ids: Sequence[str] | None, done: Sequence[str], status: int) -> Reply:
    """How many there were, and which of those that were named are not set aside."""
    missing = sorted({*(ids or ())} - {*done})
    content = {"count": len(done), "missing": missing}
    return json_reply(content, status=status, headers=[NO_STORE])
