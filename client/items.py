"""Calls about one item: requests are made and answers read here, once for both clients."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Unpack
from urllib.parse import quote, unquote

from pydantic_core import to_json

from itemstore.client.answers import Body, Deleted, ItemVersion, Written
from itemstore.client.bodies import Bodies
from itemstore.client.conditions import Conditions, Versions, Writing, condition_fields, http_date
from itemstore.client.exchange import Answer, Apply, Call, Request, Sleep
from itemstore.client.expected import expected
from itemstore.client.failures import (
    InvalidId,
    NotFound,
    PreconditionFailed,
    UnexpectedAnswer,
)
from itemstore.client.retries import Retries
from itemstore.domain.ids import InvalidItemId, id_of

OK, CREATED, NO_CONTENT, FOUND, NOT_MODIFIED = 200, 201, 204, 302, 304

LONGEST_PAUSE = 1.0
"""Seconds at most between two tries of an update."""


class Items(Generic[Body]):
    """Calls about the items of one collection."""

    def __init__(self, collection: str, bodies: Bodies[Body], retries: Retries) -> None:
        self.path = f"/{quote(collection, safe='')}"
        self.bodies = bodies
        self._retries = retries

    def get(self, item_id: str) -> Call[ItemVersion[Body]]:
        """The item as it is."""
        answer = yield from self._expect(Request("GET", self.at(item_id)), OK)
        return self._read(item_id, answer)

    def find(self, item_id: str) -> Call[ItemVersion[Body] | None]:
        """The item as it is; None where there is none."""
        try:
            return (yield from self.get(item_id))
        except NotFound as failure:
            if failure.type not in {"item-not-found", "item-deleted"}:
                raise  # there is no such collection, or this is no item store
            return None

    def get_if_changed(self, item_id: str, known: Versions) -> Call[ItemVersion[Body] | None]:
        """The item, None where it is at a version that is known."""
        fields = condition_fields(if_none_match=known)
        asked = Request("GET", self.at(item_id), fields)
        answer = yield from self._expect(asked, OK, NOT_MODIFIED)
        return None if answer.status == NOT_MODIFIED else self._read(item_id, answer)

    def version(self, item_id: str, number: int) -> Call[ItemVersion[Body]]:
        """The item as a version left it."""
        asked = Request("GET", f"{self.at(item_id)}/versions/{number}")
        return self._read(item_id, (yield from self._expect(asked, OK)))

    def as_of(self, item_id: str, moment: datetime) -> Call[ItemVersion[Body]]:
        """The item as it was at a moment."""
        asked = Request("GET", self.at(item_id), {"accept-datetime": http_date(moment)})
        answer = yield from self._expect(asked, FOUND)
        number = answer.headers["location"].rpartition("/")[2]
        return (yield from self.version(item_id, int(number)))

    def put(self, item_id: str, body: Body, **how: Unpack[Writing]) -> Call[Written[Body]]:
        """Stores it."""
        content = self.bodies.encode(body)
        asked = writing("PUT", self.at(item_id), "application/json", content, **how)
        return self._written(item_id, (yield from self._expect(asked, OK, CREATED)))

    def create(self, body: Body, idempotency_key: str | None) -> Call[Written[Body]]:
        """Stores it under an id that the store makes."""
        content = self.bodies.encode(body)
        key: Writing = {"idempotency_key": idempotency_key}
        asked = writing("POST", self.path, "application/json", content, **key)
        answer = yield from self._expect(asked, CREATED)
        return self._written(unquote(answer.headers["location"].rpartition("/")[2]), answer)

    def patch(
        self,
        item_id: str,
        changes: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        **how: Unpack[Writing],
    ) -> Call[Written[Body]]:
        """Changes a part of it: a mapping is a merge patch, a list a JSON Patch."""
        kind = "merge-patch" if isinstance(changes, Mapping) else "json-patch"
        asked = writing(
            "PATCH", self.at(item_id), f"application/{kind}+json", to_json(changes), **how
        )
        return self._written(item_id, (yield from self._expect(asked, OK)))

    def delete(self, item_id: str, **how: Unpack[Writing]) -> Call[Deleted]:
        """Deletes it."""
        asked = writing("DELETE", self.at(item_id), None, None, **how)
        answer = yield from self._expect(asked, NO_CONTENT)
        return Deleted(item_id, _field(answer, "event-id"), _is_replayed(answer))

    def revert(self, item_id: str, version: int, **how: Unpack[Writing]) -> Call[Written[Body]]:
        """Makes it what a version was."""
        path = f"{self.at(item_id)}/revert"
        asked = writing("POST", path, "application/json", to_json({"version": version}), **how)
        return self._written(item_id, (yield from self._expect(asked, OK, CREATED)))

    def update(
        self,
        item_id: str,
        function: Callable[[Body], Any],
        initial: Body | None,
        attempts: int,
    ) -> Call[Written[Body]]:
        """Reads, applies, and puts what came of it where nobody else has written meanwhile."""
        failed = 0
        while True:
            current = yield from self.find(item_id) if initial is not None else self.get(item_id)
            body = initial if current is None else current.item
            changed = yield Apply(function, body)
            if changed is None:
                raise TypeError("The function gave None: it has to return the item's new body.")
            met: Conditions = {"if_absent": True} if current is None else {"if_match": current}
            try:
                return (yield from self.put(item_id, changed, **met))
            except PreconditionFailed:
                failed += 1
                if failed >= attempts:
                    raise
            pause = min(LONGEST_PAUSE, 0.005 * 2.0 ** min(failed, 10))
            yield Sleep(random.uniform(0, pause))  # noqa: S311  # to spread

    def at(self, item_id: str) -> str:
        """The item's path. Raises InvalidId for what can't be an id."""
        try:
            return f"{self.path}/{quote(id_of(item_id.encode()), safe='')}"
        except (InvalidItemId, UnicodeEncodeError) as error:
            raise InvalidId(str(error)) from error

    def _expect(self, request: Request, *statuses: int) -> Call[Answer]:
        return expected(request, self._retries, *statuses)

    def _read(self, item_id: str, answer: Answer) -> ItemVersion[Body]:
        body = self.bodies.read(answer.content)
        return ItemVersion(item_id, _version(answer), body, _modified(answer))

    def _written(self, item_id: str, answer: Answer) -> Written[Body]:
        body = self.bodies.read(answer.content)
        return Written(
            item_id,
            _version(answer),
            body,
            _modified(answer),
            event=_field(answer, "event-id"),
            created=_field(answer, "event-type") == "ItemCreated",
            replayed=_is_replayed(answer),
        )


def writing(
    method: str, path: str, media_type: str | None, content: bytes | None, **how: Unpack[Writing]
) -> Request:
    """A write, with its conditions and a key, which all attempts have in common."""
    key = how.get("idempotency_key") or str(uuid.uuid4())
    quoted = '"{}"'.format(key.replace("\\", r"\\").replace('"', r"\""))
    conditions = {name: value for name, value in how.items() if name != "idempotency_key"}
    fields = condition_fields(**conditions)  # type: ignore[arg-type]  # those of Conditions
    if media_type is not None:
        fields["content-type"] = media_type
    return Request(method, path, {**fields, "idempotency-key": quoted}, content, key)


def _version(answer: Answer) -> int:
    tag = _field(answer, "etag").removeprefix("W/").strip('"')
    if not tag.isdecimal():
        raise UnexpectedAnswer(f"{tag!r} is no version.")
    return int(tag)


def _modified(answer: Answer) -> datetime:
    return parsedate_to_datetime(_field(answer, "last-modified"))


def _is_replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def _field(answer: Answer, name: str) -> str:
    try:
        return answer.headers[name]
    except KeyError:
        raise UnexpectedAnswer(f"The answer has no {name}: is this an item store?") from None
