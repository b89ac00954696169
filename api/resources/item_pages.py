"""A page of a collection's items: what may be asked for, and how the items are listed in JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from json import JSONEncoder
from typing import Annotated, ClassVar

from pydantic import Field

from itemstore.api.http.query_parameters import Limit, Query
from itemstore.api.http.request import Request
from itemstore.domain.cursors import PATTERN
from itemstore.domain.evolve import Item
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.cloudevents import COPIED
from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.fields import Fields
from itemstore.projections.row import MalformedRow
from itemstore.server.slow_work import QUICK_BYTES

_as_json = JSONEncoder(ensure_ascii=False).encode

OF_A_QUERY = frozenset({"where", "order", "search", "min_position"})
"""Parameters that make a list a query: it is answered by the read model, and not by the items."""


class ListQuery(Query):
    """Which items, and which page of them."""

    if_no_name: ClassVar[str] = " In `where`, && is written %26%26."

    limit: Limit = 100
    after: Annotated[str | None, Field(description="The `next` of the page before.")] = None
    prefix: Annotated[str, Field(max_length=512, description="Only ids that begin with it.")] = ""
    where: Annotated[
        str | None,
        Field(
            description="Only items whose body meets this: a filter expression of RFC 9535 "
            "(section 2.3.5), in which @ is the body. Percent-encoded: && is %26%26, + is %2B.",
            json_schema_extra={
                "format": "filter-expression",
                "examples": ['@.size > 3 && match(@.name, "F.*")'],
            },
        ),
    ] = None
    order: Annotated[
        str | None,
        Field(
            description="Names or singular paths, with commas in between, - in front for "
            "descending. Items without the value come last; ties, and all without `order`, by id.",
            json_schema_extra={"format": "order", "examples": ["-size,name"]},
        ),
    ] = None
    fields: Annotated[
        str | None,
        Field(
            description="Names or singular paths, with commas in between: only these of each body.",
            json_schema_extra={"format": "fields", "examples": ["name"]},
        ),
    ] = None
    search: Annotated[
        str | None,
        Field(
            description="Only items that have these words, in what the operator declared for it.",
            json_schema_extra={"format": "words", "examples": ["fox"]},
        ),
    ] = None
    min_position: Annotated[
        str | None,
        Field(
            description="An Event-Id, such as that of one's own write: waits up to two seconds "
            "until the answer is at least as new. Those of several partitions stand with commas "
            "in between.",
            json_schema_extra={"format": "position", "pattern": PATTERN},
        ),
    ] = None


def listed_item(item: Item) -> list[bytes]:
    """The pieces of one entry of a page."""
    head = (
        f'{{"id":{_as_json(item.id)},"version":{item.version},'
        f'"modified":"{rfc3339(item.position)}","item":'
    ).encode()
    body = item.body or b"null"
    return [head, body, b"}"] if len(body) > COPIED else [b"%b%b}" % (head, body)]


def fields_of(text: str) -> Fields:
    """The members of each body that are asked for. Raises InvalidQuery."""
    try:
        return Fields.of(text)
    except InvalidQuery as error:
        error.text = text
        raise


async def only_fields(request: Request, fields: Fields, items: Sequence[Item]) -> list[Item]:
    """The items with those fields of their bodies alone.

    The event loop gets turns meanwhile, and a large body is worked out beside it. Raises
    Overloaded and MalformedRow.
    """
    selected, size = [], 0
    for item in items:
        body = item.body or b"null"
        if len(body) > QUICK_BYTES:
            part = await request.worked_out(partial(_part, fields, item))
        else:
            size += len(body)
            if size > QUICK_BYTES:
                await asyncio.sleep(0)
                size = len(body)
            part = _part(fields, item)
        selected.append(replace(item, body=part))
    return selected


def _part(fields: Fields, item: Item) -> bytes:
    """The fields of an item's body. Raises MalformedRow where that is no JSON."""
    try:
        return fields.projected(item.body or b"null")
    except ValueError:  # somebody wrote it into the log by hand
        raise MalformedRow(item.id) from None
