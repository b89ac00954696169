"""What the store has to make of a request, said once more and without its code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from redis.crc import key_slot

from tests.torture.history import Answer, LogEntry, Step

_VERSION = re.compile(r'"(\d+)"')


def slot_of(item: str) -> int:
    """The slot that Redis gives to the id of an item, which says what partition it is in."""
    return key_slot(item.partition("/")[2].encode())


def exists(before: LogEntry | None) -> bool:
    """Whether there is an item after this event."""
    return before is not None and before.type != "ItemDeleted"


def type_of(method: str, before: LogEntry | None) -> str:
    """The type of event that a write becomes after another; empty where it becomes none."""
    if exists(before):
        return "ItemDeleted" if method == "DELETE" else "ItemUpdated"
    return "" if method in {"DELETE", "PATCH"} else "ItemCreated"


def body_after(step: Step, before: LogEntry | None) -> str:
    """The body that a write leaves. A PATCH sets the name to its tag, and nothing else."""
    if step.method == "DELETE":
        return ""
    if step.method == "PATCH" and before is not None and before.body:
        return stored(step.tag, json.loads(before.body)["size"])
    return step.body


def refusal_of(step: Step, before: LogEntry | None) -> Answer | None:
    """What a step is told that can't be done to an item as an event left it; else None."""
    version = before.version if before else None
    if not type_of(step.method, before):
        return Answer(404, version)
    if not is_admitted(step.headers, before):
        return Answer(412, version if exists(before) else None)
    return None


def refused_at(
    steps: Sequence[Step], state_of: Callable[[str], LogEntry | None]
) -> tuple[int, Answer] | None:
    """The first step that is refused, and how, where each works on what the ones before it left."""
    after: dict[str, LogEntry] = {}
    for index, step in enumerate(steps):
        before = after.get(step.item) or state_of(step.item)
        if refusal := refusal_of(step, before):
            return index, refusal
        if step.is_write:
            version = before.version + 1 if before else 1
            kind, body = type_of(step.method, before), body_after(step, before)
            after[step.item] = LogEntry("", kind, step.item, version, body, step.tag)
    return None


def stored(name: str, size: int | None) -> str:
    """The text that the store keeps of an item."""
    return json.dumps({"name": name, "size": size}, separators=(",", ":"))


def is_admitted(headers: Mapping[str, str], before: LogEntry | None) -> bool:
    """Whether If-Match and If-None-Match hold for the item as an event left it."""
    version = before.version if before is not None and exists(before) else None
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if version is None:
        return match is None
    if match is not None and match != "*" and version not in _versions(match):
        return False
    return none_match is None or (none_match != "*" and version not in _versions(none_match))


def _versions(tags: str) -> list[int]:
    return [int(digits) for digits in _VERSION.findall(tags)]
