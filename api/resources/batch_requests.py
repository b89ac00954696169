"""The requests of a batch, each checked as it alone would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from itemstore.api.gate.scoping import check_item, check_new_item
from itemstore.api.http.conditions import Conditions
from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.media_types import JSON, JSON_PATCH, MERGE_PATCH, checked_media_type
from itemstore.api.http.patch import Change, change_of
from itemstore.api.http.paths import item_id
from itemstore.api.http.preferences import preferred_return
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.api.resources.batch_place import BatchPlace
from itemstore.api.resources.batch_shape import (
    HAS_BODY,
    Unreadable,
    collection_and_segment,
    conditions_for,
    fields_of,
    method_and_path,
)
from itemstore.domain.expected import ABSENT, ExpectedVersion
from itemstore.domain.ids import InvalidItemId
from itemstore.domain.values import value
from itemstore.eventlog.json_text import DEEPEST, check_json
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS
from itemstore.store.collection import Collection

_AROUND_A_BODY = 3
"""Levels of JSON that a batch puts around the body of a request."""

Content = bytes | Change | None
"""The JSON that a PUT or a POST stores, what a PATCH changes, or nothing."""

Target = tuple[str, str]
"""An item of the store: the name of its collection, and its id."""


@value
class BatchedRequest:
    """One request of a batch.

    `expected` is what its entity tags ask for. `preferred` is the return that it prefers, by itself
    or with the whole batch.
    """

    method: str
    collection: Collection
    item: str
    conditions: Conditions
    expected: ExpectedVersion
    content: Content
    preferred: str | None

    @property
    def target(self) -> Target:
        """The item that it is about."""
        return self.collection.name, self.item

    @property
    def is_write(self) -> bool:
        """Whether it changes the item, and does not only check it."""
        return self.method != "HEAD"

    @property
    def depends(self) -> bool:
        """Whether what it is to do depends on the item as it is."""
        return self.method == "PATCH" or self.conditions.unmodified_since is not None


def requests_of(request: Request, document: bytes) -> list[BatchedRequest]:
    """The requests of the batch, with what they store worked out.

    Raises MalformedJson, and Problem: that of the first request which can't be carried out whatever
    there is in the store, with its `index`.
    """
    preferred = preferred_return(request.fields)
    requests: list[BatchedRequest] = []
    raws = _listed(check_json(document, deepest=DEEPEST + _AROUND_A_BODY))
    place = BatchPlace.of(request, raws)
    for index, raw in enumerate(raws):
        try:
            asked = _request(request, raw, preferred, place)
            place.check(index, asked.item)
            if asked.conditions.unmodified_since is not None:
                _check_not_written(asked, requests)
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            raise at_index(index, error) from None
        requests.append(asked)
    return requests


def at_index(index: int, error: Exception) -> Exception:
    """What a batch is answered with where this request of it, counted from 0, meets the error."""
    if isinstance(error, Unreadable | InvalidItemId):
        sentence = f"Request {index} of the batch can't be taken: {error}"
        error = Problem("invalid-batch", sentence.removesuffix(".") + ".")
    problem = problem_of(error)
    if problem is None:
        return error
    return Problem(
        problem.type.slug,
        problem.detail,
        members={"index": index, **problem.members},
        headers=problem.headers,
        links=problem.links,
    )


def _listed(batch: Any) -> list[Any]:
    """What stands in the list of requests. Raises Problem."""
    requests = batch.get("requests") if isinstance(batch, dict) and len(batch) == 1 else None
    if not isinstance(requests, list) or not requests:
        sentence = (
            'A batch is {"requests": […]}, an object with nothing else in it, and a list of 1 to '
            f"{MOST_COMMANDS} requests."
        )
        raise Problem("invalid-batch", sentence)
    if len(requests) > MOST_COMMANDS:
        sentence = f"A batch has at most {MOST_COMMANDS} requests, and not {len(requests)}."
        raise Problem("invalid-batch", sentence, members={"index": MOST_COMMANDS})
    return requests


def _request(
    request: Request, raw: Any, preferred: str | None, place: BatchPlace
) -> BatchedRequest:
    """One request. Raises what at_index takes."""
    method, path = method_and_path(raw)
    collection, segment = collection_and_segment(request, method, path)
    item = place.new_id() if segment is None else item_id(segment)
    if not request.scope.is_whole:
        _check_scope(request, collection.name, None if segment is None else item)
    fields = fields_of(raw.get("headers", {}))
    demanded = request.store.settings.require_conditions
    conditions = conditions_for(method, fields, demanded=demanded)
    content = _content(request, method, collection, fields, raw) if HAS_BODY[method] else None
    expected = ABSENT if segment is None else conditions.expected
    preferred = preferred_return(fields) or preferred
    return BatchedRequest(method, collection, item, conditions, expected, content, preferred)


def _check_scope(request: Request, collection: str, item: str | None) -> None:
    """Raises Problem (403) for what is outside of the token's scope."""
    if item is None:
        check_new_item(request, collection)
    else:
        check_item(request, collection, item)


def _content(
    request: Request,
    method: str,
    collection: Collection,
    fields: Mapping[bytes, bytes],
    raw: Mapping[str, Any],
) -> Content:
    """What a request stores or changes. Raises Problem, and what the model does."""
    if request.outcome is not None:
        return None  # it was stored before, by a model that may be another one
    body, is_patch = raw["body"], method == "PATCH"
    media_type = JSON
    if b"content-type" in fields:
        media_type = checked_media_type(method, fields[b"content-type"], None)
    elif is_patch:
        media_type = JSON_PATCH if isinstance(body, list) else MERGE_PATCH
    if is_patch:
        return change_of(media_type, body, request.store.settings.max_body)
    return request.context.models[collection.name].stored(to_json(body), is_checked=True)


def _check_not_written(asked: BatchedRequest, before: Sequence[BatchedRequest]) -> None:
    """Raises Unreadable where an earlier request writes the item: its date is not known yet."""
    if any(each.is_write and each.target == asked.target for each in before):
        raise Unreadable(
            "an earlier request of the batch writes the item, so leave If-Unmodified-Since out"
        )
