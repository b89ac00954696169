"""What every write of an item shares: its body, its conditions, and the append."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable

from itemstore.api.http.conditions import Conditions
from itemstore.api.http.patch import Change
from itemstore.api.http.preconditions import conditions_of
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.domain.commands import Command
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.evolve import Item
from itemstore.domain.expected import ABSENT, ExpectedVersion, one_of
from itemstore.engine.errors import LogOverloaded
from itemstore.eventlog.uuid7 import uuid7, uuid7_in
from itemstore.server.slow_work import QUICK_BYTES
from itemstore.store.model import ItemModel

ATTEMPTS = 100
"""How often a write that reads first begins again because another writer came between."""


async def item_body(request: Request) -> bytes:
    """The body of a PUT or POST as the JSON to store.

    Raises Problem, MalformedJson, and InvalidItem.
    """
    _refuse_part(request)
    _, body = await request.content()
    return await stored(request, body)


def item_body_at_hand(request: Request) -> bytes:
    """The same of a request that came whole, for a model that takes no time."""
    _refuse_part(request)
    request.check_content()
    return request.model.stored(request.read_at_hand())


def _refuse_part(request: Request) -> None:
    if b"content-range" in request.fields:
        raise Problem("partial-put", "A request with Content-Range can't be taken.")


def new_id(request: Request) -> str:
    """An id that nobody chose: in a partition that is not known to take no write.

    With an Idempotency-Key it is where the key's outcome is kept.
    """
    partitions = len(request.store.sections)
    if partitions == 1:
        return str(uuid7())
    if request.idempotency is not None:
        return uuid7_in(request.idempotency.home(partitions), partitions)
    there = request.context.health.undoubted()
    if len(there) == partitions:
        return str(uuid7())
    return uuid7_in(secrets.choice(there), partitions)


async def stored(request: Request, body: bytes) -> bytes:
    """The JSON that is stored for a body; off the event loop where that may take long."""
    model = request.model
    if model.runs_code or len(body) > QUICK_BYTES:
        return await request.worked_out(lambda: model.stored(body))
    return model.stored(body)


def patched(before: bytes, change: Change, model: ItemModel, limit: int) -> bytes:
    """The JSON to store once a body is changed. Raises what change and model do, and 413."""
    changed = change.of(json.loads(before))
    body = model.stored(json.dumps(changed, ensure_ascii=False).encode())
    if len(body) > limit:
        sentence = f"The patched item would have {len(body)} bytes; {limit} are allowed."
        raise Problem("content-too-large", sentence, members={"limit": limit})
    return body


async def append(request: Request, make: Callable[[ExpectedVersion], Command]) -> RecordedEvent:
    """The event that the command became, under the conditions of the request.

    They go into the log with the command, so they are evaluated in the step that appends.
    Raises CommandRefused, Problem and what the log raises.
    """
    conditions = conditions_of(request)
    if conditions.unmodified_since is not None:

        async def made(_: Item | None, exact: ExpectedVersion) -> Command:
            return make(exact)

        return await read_and_append(request, conditions, made)
    command = make(conditions.expected)
    try:
        return await request.collection.log.append(command, request.meta, request.idempotency)
    except UnexpectedVersion as refused:
        raise conditions.refusal(refused) from None


async def read_and_append(
    request: Request,
    conditions: Conditions,
    make: Callable[[Item | None, ExpectedVersion], Awaitable[Command]],
) -> RecordedEvent:
    """The event of a command that depends on the item as it is.

    Reads the item, checks the conditions against it, and appends under the very version it read;
    begins again where another writer came between, so that all of it is like one step.
    """
    expected = conditions.expected
    for _ in range(ATTEMPTS):
        item = await request.collection.items.get(request.item_id)
        exact = ABSENT
        if item is not None and item.exists:
            if not expected.admits(item.version):
                raise conditions.refusal(UnexpectedVersion(item.id, expected, item.version))
            conditions.check_unmodified(item.version, item.position)
            exact = one_of(item.version)
        command = await make(item, exact)
        try:
            return await request.collection.log.append(command, request.meta, request.idempotency)
        except UnexpectedVersion:
            continue
    sentence = f"Other writers changed the item {ATTEMPTS} times meanwhile; try again."
    raise LogOverloaded(sentence)
