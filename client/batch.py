"""Several requests that are carried out in one moment, or none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from pydantic import BaseModel
from pydantic_core import to_json, to_jsonable_python

from itemstore.client.answers import BatchResult
from itemstore.client.conditions import Versions, Writing, condition_fields
from itemstore.client.exchange import Call
from itemstore.client.expected import expected, json_of
from itemstore.client.items import Items, writing
from itemstore.client.retries import Retries

OK = 200

_NUMBER = re.compile(r'"(\d+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """The conditions of one request, as those of a write, and its collection."""

    collection: str | None = None
    if_match: Versions | None = None
    if_none_match: Versions | None = None
    if_present: bool = False
    if_absent: bool = False
    if_unmodified_since: datetime | None = None

    def fields(self) -> dict[str, str]:
        """The header fields. Raises ValueError for conditions that can't stand together."""
        names = (each.name for each in fields(Conditional) if each.name != "collection")
        return condition_fields(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Put(Conditional):
    """Stores the whole item."""

    id: str
    body: Any


@dataclass(frozen=True, slots=True)
class Patch(Conditional):
    """Changes a part: a mapping is a merge patch, a list a JSON Patch."""

    id: str
    changes: Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Delete(Conditional):
    """Deletes the item."""

    id: str


@dataclass(frozen=True, slots=True)
class Check(Conditional):
    """Changes nothing: its condition has to hold, or nothing of the batch is carried out."""

    id: str


@dataclass(frozen=True, slots=True)
class Create:
    """Stores a new item, under an id that the store makes."""

    body: Any
    collection: str | None = None


Operation = Put | Patch | Delete | Check | Create


def batch(
    items: Items[Any],
    retries: Retries,
    prefix: str,
    operations: Sequence[Operation],
    idempotency_key: str | None,
) -> Call[list[BatchResult]]:
    """Carries them out; the results are in their order."""
    said = {"requests": [_request(items, prefix, each) for each in operations]}
    key: Writing = {"idempotency_key": idempotency_key}
    asked = writing("POST", "/batch", "application/json", to_json(said), **key)
    answer = yield from expected(asked, retries, OK)
    responses = json_of(answer)["responses"]
    return [_result(each, said) for each, said in zip(operations, responses, strict=True)]


def _request(items: Items[Any], prefix: str, operation: Operation) -> dict[str, Any]:
    own = items.path if operation.collection is None else f"/{quote(operation.collection, safe='')}"
    if isinstance(operation, Create):
        body = _jsonable(operation.body)
        return {"method": "POST", "path": prefix + own, "body": body}
    path = prefix + own + items.at(operation.id).removeprefix(items.path)
    said: dict[str, Any] = {"path": path, "headers": operation.fields()}
    match operation:
        case Put(body=body):
            return said | {"method": "PUT", "body": _jsonable(body)}
        case Patch(changes=changes):
            return said | {"method": "PATCH", "body": to_jsonable_python(changes)}
        case Delete():
            return said | {"method": "DELETE"}
        case Check():
            return said | {"method": "HEAD"}


def _jsonable(body: Any) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", by_alias=True)
    return to_jsonable_python(body)


def _result(operation: Operation, said: Mapping[str, Any]) -> BatchResult:
    headers = {name.lower(): value for name, value in said["headers"].items()}
    if isinstance(operation, Create):
        item_id = unquote(headers["location"].rpartition("/")[2])
    else:
        item_id = operation.id
    tag = _NUMBER.search(headers.get("etag", ""))
    version = int(tag[1]) if tag else None
    return BatchResult(said["status"], item_id, version, headers.get("event-id"), said.get("body"))
