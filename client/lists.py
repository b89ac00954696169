"""Lists of items and of an item's versions, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

from itemstore.client.answers import Body, ItemVersion, Page, VersionEntry
from itemstore.client.bodies import Bodies
from itemstore.client.exchange import Answer, Call, Course, Give, Request
from itemstore.client.expected import expected, json_of
from itemstore.client.failures import UnexpectedAnswer
from itemstore.client.retries import Retries

OK = 200


class Query(TypedDict, total=False):
    """Which items, and in what order; all of them, by id, where nothing is said.

    `prefix`: only ids that begin with it. `where`: a filter expression of RFC 9535, in which `@` is
    the body. `order`: names of members, `-` before one for descending. `search`: words. The last
    three ask the read model: `min_position`, the `event` of a write, makes it wait until it knows
    that one.
    """

    prefix: str | None
    where: str | None
    order: str | Sequence[str] | None
    search: str | None
    min_position: str | None


class Lists(Generic[Body]):
    """Calls about the list of one collection."""

    def __init__(self, path: str, bodies: Bodies[Body], retries: Retries) -> None:
        self._path = path
        self._bodies = bodies
        self._retries = retries

    def page(
        self,
        size: int,
        after: str | None,
        fields: str | Sequence[str] | None,
        **query: Unpack[Query],
    ) -> Call[Page[Body]]:
        """One page."""
        asked = {
            "limit": str(size),
            "after": after,
            "fields": _joined(fields),
            "prefix": query.get("prefix"),
            "where": query.get("where"),
            "order": _joined(query.get("order")),
            "search": query.get("search"),
            "min_position": query.get("min_position"),
        }
        given = {name: value for name, value in asked.items() if value}
        request = Request("GET", f"{self._path}?{urlencode(given)}")
        answer = yield from expected(request, self._retries, OK)
        said = _object_of(answer, "items")
        items = [self._listed(each) for each in said["items"]]
        return Page(items, said["next"], said.get("total"), answer.headers.get("position"))

    def all(
        self, size: int, fields: str | Sequence[str] | None, **query: Unpack[Query]
    ) -> Course[ItemVersion[Body]]:
        """The items of all pages."""
        after: str | None = None
        while True:
            page = yield from self.page(size, after, fields, **query)
            for item in page.items:
                yield Give(item)
            after = page.after
            if after is None:
                return

    def versions(self, item_path: str) -> Course[VersionEntry]:
        """An item's versions, also of one that is deleted by now."""
        query = ""
        while True:
            path = f"{item_path}/versions{query}"
            asked = Request("GET", path, {"accept": "application/json"})
            said = _object_of((yield from expected(asked, self._retries, OK)), "versions")
            for each in said["versions"]:
                time = datetime.fromisoformat(each["time"])
                yield Give(VersionEntry(each["version"], each["type"], time, each["event"]))
            if said["next"] is None:
                return
            query = f"?{urlsplit(said['next']).query}"  # the path is ours, whatever a proxy made

    def _listed(self, said: dict[str, Any]) -> ItemVersion[Body]:
        modified = datetime.fromisoformat(said["modified"])
        body = self._bodies.take(said["item"])
        return ItemVersion(said["id"], said["version"], body, modified)


def _joined(names: str | Sequence[str] | None) -> str | None:
    return names if names is None or isinstance(names, str) else ",".join(names)


def _object_of(answer: Answer, member: str) -> dict[str, Any]:
    said = json_of(answer)
    if not isinstance(said, dict) or member not in said:
        raise UnexpectedAnswer(f"The answer has no {member!r}: is this an item store?")
    return said
