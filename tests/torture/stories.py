"""Histories that are made up: by hand, operation by operation, or by a simulated store."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.torture.cursors import last_of_each, place_in, places_of
from tests.torture.history import Answer, LogEntry, Operation, Step
from tests.torture.rules import body_after, exists, refused_at, slot_of, stored, type_of

History = tuple[list[Operation], list[LogEntry]]

NOT_FOUND = Answer(404, problem="item-not-found")


FOX, HEN = "items/fox", "orders/hen"

OF_SEVERAL = (FOX, HEN, "items/{fox}es", "orders/{hen}s")
"""The items of a store with several partitions: some are in one, as transactions need it."""


def entry(place: int, kind: str, version: int, tag: str, item: str = FOX) -> LogEntry:
    """An event, whose body is that of the write with its tag."""
    body = "" if kind == "ItemDeleted" else stored(tag, 1)
    return LogEntry(f"{place}-0", kind, item, version, body, tag)


def told(status: int, of: LogEntry) -> Answer:
    """What the client of a write is told of its event."""
    version = None if of.type == "ItemDeleted" else of.version
    return Answer(status, version, of.type, of.position, body=of.body)


def done(tag: str, method: str, called: float, answer: Answer | None, **more: Any) -> Operation:
    """An operation that took half a second."""
    body = stored(tag, 1) if method == "PUT" else ""
    more = dict[str, Any](item=FOX, body=body, returned=called + 0.5) | more
    return Operation(tag, 1, method, called=called, answer=answer, **more)


def seen(of: LogEntry) -> Answer:
    """What a client reads of an event."""
    return Answer(200, of.version, body=of.body)


def listed(*states: LogEntry) -> Answer:
    """What a list shows of the last events of some items."""
    shown = [
        {
            "id": state.item.partition("/")[2],
            "version": state.version,
            "item": json.loads(state.body),
        }
        for state in states
        if exists(state)
    ]
    return Answer(200, body=json.dumps({"items": shown}))


def page(*events: LogEntry) -> Answer:
    """What a page of the feed shows."""
    return Answer(200, body=json.dumps([_cloud_event(event) for event in events]))


def _cloud_event(of: LogEntry) -> dict[str, Any]:
    collection, _, item = of.item.partition("/")
    event = {"id": of.position, "source": f"/{collection}", "type": of.type, "subject": item}
    body = {"data": json.loads(of.body)} if of.body else {}
    transaction = {"transaction": of.transaction} if of.transaction else {}
    return event | {"itemversion": of.version, "traceparent": of.tag} | body | transaction


def step(tag: str, method: str, item: str, condition: str = "") -> Step:
    """A part of a transaction; a condition is a version, `*`, or empty."""
    tags = condition if condition in {"", "*"} else f'"{condition}"'
    body = stored(tag, 1) if method in {"PUT", "POST"} else ""
    return Step(method, item, {"if-match": tags} if tags else {}, body, tag)


def batch(tag: str, called: float, answer: Answer | None, *steps: Step) -> Operation:
    """A transaction that took half a second."""
    return done(tag, "BATCH", called, answer, item="", steps=steps)


class Simulation:
    """A true history of overlapping clients: each operation happens at a moment within its span."""

    def __init__(self, seed: int, partitions: int = 1) -> None:
        self._chance = random.Random(seed)
        self._partitions = partitions
        self._items = (FOX, HEN) if partitions == 1 else OF_SEVERAL
        self._last: dict[str, LogEntry] = {}
        self.history: list[Operation] = []
        self.log: list[LogEntry] = []

    def run(self, count: int) -> None:
        """So many operations."""
        now = 0.0
        for number in range(count):
            now += self._chance.uniform(0.1, 1)
            tag = f"t{number}"
            method = self._chance.choice(
                ["GET", "GET", "PUT", "PUT", "PATCH", "DELETE", "LIST", "FEED", "BATCH", "BATCH"]
            )
            asked = self._asked(tag, method, now)
            self.history.append(replace(asked, answer=self._answer(asked)))

    def _asked(self, tag: str, method: str, now: float) -> Operation:
        step, headers = self._step(tag, method), dict[str, str]()
        steps: tuple[Step, ...] = ()
        if method == "BATCH":
            methods = ["PUT", "PUT", "PUT", "PATCH", "DELETE", "HEAD"]
            names = [f"{tag}.{number}" for number in range(self._chance.randint(2, 5))]
            near = [each for each in self._items if self._home(each) == self._home(step.item)]
            steps = tuple(self._step(name, self._chance.choice(methods), near) for name in names)
        if method == "FEED":
            read = self.log[: len(self.log) - self._chance.randint(0, 5)]
            after = last_of_each(read if self._chance.random() < 0.8 else [])
            headers = {"after": after, "limit": str(self._chance.randint(1, 8))}
        return Operation(
            tag, 1, method,
            "" if method in {"FEED", "BATCH"} else step.item[:6] if method == "LIST" else step.item,
            now - self._chance.expovariate(1), now + self._chance.expovariate(1), None,
            headers or step.headers, step.body, steps=steps,
        )  # fmt: skip

    def _step(self, tag: str, method: str, items: Sequence[str] = ()) -> Step:
        item = self._chance.choice(items or self._items)
        before, headers = self._last.get(item), {}
        if method not in {"GET", "LIST", "FEED", "BATCH"} and self._chance.random() < 0.5:
            state = before.version if before else 1
            versions = [str(self._chance.randint(1, 3) - 2 + state) for _ in range(2)]
            tags = ", ".join(f'"{version}"' for version in versions)
            name = self._chance.choice(["if-match", "if-none-match"])
            headers[name] = self._chance.choice(["*", tags])
        return Step(method, item, headers, stored(tag, 1) if method == "PUT" else "", tag)

    def _answer(self, asked: Operation) -> Answer:
        before = self._last.get(asked.item)
        match asked.method:
            case "LIST":
                shown = [each for each in self._last.values() if each.item.startswith(asked.item)]
                return listed(*shown)
            case "GET":
                gone = Answer(404, before.version, problem="item-deleted") if before else NOT_FOUND
                return seen(before) if before and exists(before) else gone
            case "FEED":
                after = places_of(asked.headers["after"])
                following = [
                    each for each in self.log if each.place > place_in(after, each.partition)
                ]
                return page(*following[: int(asked.headers["limit"])])
        if refusal := refused_at(asked.asked, self._last.get):
            index, answer = refusal
            is_batch = asked.method == "BATCH"
            return replace(answer, index=index if is_batch else None, problem=self._problem(answer))
        transaction = f"of {asked.tag}" if asked.method == "BATCH" else ""
        answers = tuple(self._done(asked.tag, each, transaction) for each in asked.asked)
        return Answer(200, answers=answers) if transaction else answers[0]

    @staticmethod
    def _problem(refusal: Answer) -> str | None:
        if refusal.status == 404:
            return "item-deleted" if refusal.version else "item-not-found"
        return None

    def _done(self, tag: str, step: Step, transaction: str) -> Answer:
        """The event that the step becomes, as its client is told of it."""
        before = self._last.get(step.item)
        if not step.is_write:
            return Answer(200, before.version if exists(before) and before else None)
        version, kind = before.version + 1 if before else 1, type_of(step.method, before)
        body, position = body_after(step, before), f"{len(self.log) + 1}-0"
        if self._partitions > 1:
            position += f"@{self._home(step.item)}"
        event = LogEntry(position, kind, step.item, version, body, tag, transaction)
        self.log.append(event)
        self._last[step.item] = event
        return told({"ItemCreated": 201, "ItemUpdated": 200, "ItemDeleted": 204}[kind], event)

    def _home(self, item: str) -> int:
        return slot_of(item) % self._partitions


def simulated(seed: int, partitions: int = 1) -> History:
    """The history and the log of some hundred operations."""
    simulation = Simulation(seed, partitions)
    simulation.run(400)
    return simulation.history, simulation.log
