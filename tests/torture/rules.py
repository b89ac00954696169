"""What the store has to make of a request, said once more and without its code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from tests.torture.history import LogEntry, Operation

_VERSION = re.compile(r'"(\d+)"')


def exists(before: LogEntry | None) -> bool:
    """Whether there is an item after this event."""
    return before is not None and before.type != "ItemDeleted"


def type_of(method: str, before: LogEntry | None) -> str:
    """The type of event that a write becomes after another; empty where it becomes none."""
    if exists(before):
        return "ItemDeleted" if method == "DELETE" else "ItemUpdated"
    return "" if method in {"DELETE", "PATCH"} else "ItemCreated"


def body_after(operation: Operation, before: LogEntry | None) -> str:
    """The body that a write leaves. A PATCH sets the name to its tag, and nothing else."""
    if operation.method == "DELETE":
        return ""
    if operation.method == "PATCH" and before is not None and before.body:
        return stored(operation.tag, json.loads(before.body)["size"])
    return operation.body


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
