"""What clients ask for: random things of few items, in a few collections."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.torture.cursors import last_of_each
from tests.torture.history import Answer, Operation, Step
from tests.torture.processes import COLLECTIONS
from tests.torture.queries import Query, a_query
from tests.torture.rules import stored
from tests.torture.wire import Reply

IDS = [f"item-{number}" for number in range(4)]
"""Of the items of each collection: few, so that clients meet at them."""

GROUPS = [[f"item-{{{tag}}}{number}" for number in range(3)] for tag in "abcdef"]
"""The same in a store of several partitions: those of a group are in one, as a batch has to be."""

METHODS = {"PUT": 30, "GET": 24, "PATCH": 10, "DELETE": 10, "VERSION": 8, "POST": 6, "LIST": 5,
           "FEED": 4, "QUERY": 10, "BATCH": 20}  # fmt: skip

STEPS = {"PUT": 50, "PATCH": 14, "DELETE": 6, "POST": 10, "HEAD": 20}

LENGTHS = [2, 2, 2, 3, 3, 4, 5, 7, 10]
"""Of transactions. The longer one is, the more likely is a step of it refused."""

MEDIA_TYPES = {
    "PUT": "application/json",
    "POST": "application/json",
    "PATCH": "application/merge-patch+json",
    "BATCH": "application/json",
}

VERBS = {"VERSION": "GET", "LIST": "GET", "FEED": "GET", "QUERY": "GET", "BATCH": "POST"}

IN_PATH = {"FEED", "QUERY"}
"""Those whose `headers` say what is in their path."""

OLD = 0.5
"""How many of the versions and of the pages of events that are read are any there were."""

ASTRAY = 0.05
"""How many of the batches ask for items of several groups, where there are several."""

CONDITIONAL, CONDITIONAL_STEP, REPEATABLE, MINIMAL = 0.4, 0.2, 0.5, 0.1
"""How many of those requests that can be so are so."""


@dataclass(slots=True)
class Known:
    """What any client was told of the store so far."""

    versions: dict[str, int] = field(default_factory=dict)
    """The last one of each item."""
    positions: list[str] = field(default_factory=lambda: [START])
    """Those of all events that were acknowledged, in that order."""

    def note(self, item: str, answer: Answer) -> None:
        """Takes note of an answer about an item."""
        if answer.version is not None:
            self.versions[item] = max(self.versions.get(item, 0), answer.version)
        if answer.type is not None and answer.position is not None:
            self.positions.append(answer.position)

    def some(self, end: int) -> str:
        """Where one is who has read up to an event, about."""
        read = self.positions[max(0, end - RECENT) : end]
        return last_of_each([each for each in read if each != START])


RECENT = 100
"""Events in which those are looked for that a reader had last."""

START = "0-0"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for. `headers` are those that the outcome may depend on."""

    tag: str
    method: str
    item: str
    path: str
    headers: dict[str, str]
    body: str
    """What the store would keep of it, where that is known beforehand."""
    steps: tuple[Step, ...] = ()

    @property
    def verb(self) -> str:
        """Its method on the wire."""
        return VERBS.get(self.method, self.method)

    @property
    def fields(self) -> dict[str, str]:
        """All its header fields."""
        fields = {"traceparent": self.tag} | ({} if self.method in IN_PATH else self.headers)
        if self.method in MEDIA_TYPES:
            fields["content-type"] = MEDIA_TYPES[self.method]
        return fields

    @property
    def content(self) -> str:
        """Its body on the wire."""
        match self.method:
            case "PATCH":
                return json.dumps({"name": self.tag})
            case "BATCH":
                return json.dumps({"requests": [_written(step) for step in self.steps]})
        return self.body

    def operation(
        self,
        client: int,
        called: float,
        returned: float,
        answer: Answer | None,
        *,
        attempts: int = 1,
    ) -> Operation:
        """What became of it, for the history."""
        return Operation(
            self.tag, client, self.method, self.item, called, returned, answer,
            self.headers, self.body, attempts, self.steps,
        )  # fmt: skip


def _path_of(item: str) -> str:
    """That of an item, or of the collection that is one to POST to."""
    return f"/{quote(item.rstrip('/'))}"


def _written(step: Step) -> dict[str, Any]:
    """A step as a batch has it."""
    written: dict[str, Any] = {"method": step.method, "path": _path_of(step.item)}
    headers = dict(step.headers)
    if step.method == "PATCH":
        headers["content-type"] = MEDIA_TYPES["PATCH"]
        written["body"] = {"name": step.tag}
    elif step.body:
        written["body"] = json.loads(step.body)
    return written | ({"headers": headers} if headers else {})


class Requests:
    """The requests of one client: what comes next depends on its seed, and on what is known."""

    def __init__(
        self,
        client: int,
        seed: int,
        known: Known,
        *,
        may_wait: bool = True,
        groups: Sequence[Sequence[str]] = (IDS,),
    ) -> None:
        """With queries that wait for what is not there yet, if they may.

        `groups` are the ids of items that can be in one transaction.
        """
        self._groups = groups
        self._chance = random.Random(f"{seed} client {client}")
        self._known = known
        self._may_wait = may_wait
        self._trace = self._chance.getrandbits(127) + 1
        self._count = 0
        self._own: str | None = None
        """The position of the last event that it asked for."""
        self._going_on: tuple[Query, dict[str, str], str] | None = None
        """A query that has another page, what is in the `headers` of that, and its cursor."""

    def next(self) -> Request:
        """What it asks for next."""
        self._count += 1
        tag = f"00-{self._trace:032x}-{self._count:016x}-01"
        if self._going_on:
            return self._next_page(tag, *self._going_on)
        [method] = self._chance.choices(list(METHODS), list(METHODS.values()))
        match method:
            case "BATCH":
                return self._batch(tag)
            case "FEED":
                return self._page(tag)
            case "QUERY":
                return self._query(tag)
            case "LIST":
                collection = self._chance.choice(COLLECTIONS)
                path = f"/{collection}?prefix={IDS[0][:5]}"
                return Request(tag, method, f"{collection}/{IDS[0][:5]}", path, {}, "")
        item = self._item(method)
        path = _path_of(item)
        if method == "VERSION":
            last = self._known.versions.get(item, 1)
            first = 1 if self._chance.random() < OLD else max(1, last - 20)
            path += f"/versions/{self._chance.randint(first, last + 1)}"
        return Request(
            tag, method, item, path, self._headers(method, item), self._body(method, tag)
        )

    def _batch(self, tag: str) -> Request:
        length = self._chance.choice(LENGTHS)
        methods = self._chance.choices(list(STEPS), list(STEPS.values()), k=length)
        steps = []
        astray = len(self._groups) > 1 and self._chance.random() < ASTRAY
        group = self._chance.choice(self._groups)
        for number, method in enumerate(methods):
            ids = self._chance.choice(self._groups) if astray else group
            item, name = self._item(method, ids), f"{tag}.{number}"
            headers = self._conditions(item, method, CONDITIONAL_STEP)
            steps.append(Step(method, item, headers, self._body(method, name), name))
        headers = self._repeatable() | self._minimal()
        return Request(tag, "BATCH", "", "/batch", headers, "", tuple(steps))

    def _page(self, tag: str) -> Request:
        count = len(self._known.positions)
        oldest = 1 if self._chance.random() < OLD else max(1, count - 20)
        after = self._known.some(self._chance.randint(oldest, count))
        limit = self._chance.choice([5, 20, 200])
        collection = self._chance.choice(["", *COLLECTIONS])
        path = f"/events?after={after}&limit={limit}"
        path += f"&source=/{collection}" if collection else ""
        headers = {"after": after, "limit": str(limit)}
        return Request(tag, "FEED", f"{collection}/" if collection else "", path, headers, "")

    def _query(self, tag: str) -> Request:
        query = a_query(self._chance, self._chance.choice(COLLECTIONS), IDS[0][:5], self._count)
        least = self._chance.choice([None, self._own, self._own, self._known.positions[-1]])
        headers = {"min_position": least} if least and self._may_wait else {}
        return self._page_of(tag, query, headers, None)

    def _next_page(self, tag: str, query: Query, headers: dict[str, str], cursor: str) -> Request:
        self._going_on = None
        return self._page_of(tag, query, headers, cursor)

    def _page_of(
        self, tag: str, query: Query, headers: dict[str, str], cursor: str | None
    ) -> Request:
        path = query.path(after=cursor, min_position=headers.get("min_position"))
        named = {"query": query.as_text(), **headers}
        return Request(tag, "QUERY", f"{query.collection}/{query.prefix}", path, named, "")

    def answered(self, request: Request, answer: Answer | None) -> None:
        """Takes note of what came of one: its own write, or a page of a query, which goes on."""
        if answer is None or not 200 <= answer.status < 300:
            return
        if request.method == "QUERY":
            self._go_on(request, json.loads(answer.body))
        for each in (answer, *answer.answers):
            if each.type is not None:
                self._own = each.position

    def _go_on(self, request: Request, page: dict[str, Any]) -> None:
        if page["next"] is None or not page["items"]:
            return
        last = page["items"][-1]
        headers = {name: request.headers[name] for name in request.headers if name != "query"}
        headers["after"] = json.dumps([last["id"], last["version"]])
        self._going_on = Query.of_text(request.headers["query"]), headers, page["next"]

    def _item(self, method: str, ids: Sequence[str] = ()) -> str:
        collection = self._chance.choice(COLLECTIONS)
        ids = ids or self._chance.choice(self._groups)
        return f"{collection}/" + ("" if method == "POST" else self._chance.choice(ids))

    def _body(self, method: str, tag: str) -> str:
        return stored(tag, self._count) if method in {"PUT", "POST"} else ""

    def _headers(self, method: str, item: str) -> dict[str, str]:
        headers = {}
        if method in {"PUT", "PATCH", "DELETE"}:
            headers = self._conditions(item, method, CONDITIONAL)
        if method == "GET" and self._chance.random() < CONDITIONAL:
            headers["if-none-match"] = f'"{self._known.versions.get(item, 1)}"'
        if method == "PUT":
            headers |= self._minimal()
        return headers | (self._repeatable() if method not in {"GET", "VERSION"} else {})

    def _conditions(self, item: str, method: str, share: float) -> dict[str, str]:
        """Those of a write, and of a check, which always has one."""
        is_check = method == "HEAD"
        if method == "POST" or (not is_check and self._chance.random() > share):
            return {}
        known = self._known.versions.get(item, 1)
        tags = ", ".join(f'"{max(1, known - self._chance.choice([0, 0, 0, 1]))}"' for _ in "12")
        names = ["if-match"] if is_check else ["if-match", "if-match", "if-none-match"]
        return {self._chance.choice(names): self._chance.choice(["*", tags, tags])}

    def _minimal(self) -> dict[str, str]:
        return {"prefer": "return=minimal"} if self._chance.random() < MINIMAL else {}

    def _repeatable(self) -> dict[str, str]:
        if self._chance.random() > REPEATABLE:
            return {}
        return {"idempotency-key": f"{self._trace}-{self._count}"}


def answer_of(reply: Reply) -> Answer:
    """What a reply says."""
    body = reply.body.decode()
    said: Any = json.loads(body) if body and _is_json(reply.headers) else None
    if reply.status == 200 and isinstance(said, dict) and set(said) == {"responses"}:
        answers = tuple(map(_answer_of_step, said["responses"]))
        return Answer(reply.status, answers=answers)
    return _answer(reply.status, reply.headers, body, said)


def _is_json(headers: Any) -> bool:
    return bool(headers.get("content-type", "").endswith("json"))


def _answer_of_step(response: dict[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in response.get("headers", {}).items()}
    said = response.get("body")
    body = json.dumps(said, separators=(",", ":")) if said is not None else ""
    return _answer(response["status"], headers, body, said)


def _answer(status: int, headers: Any, body: str, said: Any) -> Answer:
    etag = headers.get("etag", "").strip('"')  # a list has a weak one, which is no version
    version, problem, index = int(etag) if etag.isdecimal() else None, None, None
    if headers.get("content-type") == "application/problem+json":
        problem = said["type"].removeprefix("/problems/")
        version, index = said.get("version"), said.get("index")
    event_type = headers.get("event-type")
    position = headers.get("event-id") or headers.get("position")  # the latter is of a query
    return Answer(status, version, event_type, position, problem, body, index)
