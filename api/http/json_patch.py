"""JSON Patch (RFC 6902): its operations carried out on a value, with errors in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from itemstore.api.http.problems import Problem
from itemstore.eventlog.excerpts import quoted

MOST_OPERATIONS = 1000
"""Operations in one JSON Patch; each may look at the whole item."""

_NEEDED = {
    "add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from",
    "remove": "path",
}  # fmt: skip
"""What an operation needs besides `op` and `path` (RFC 6902 §4)."""

_POINTER = re.compile(r"(?:/(?:[^~]|~[01])*)?", re.DOTALL)

_INDEX = re.compile(r"0|[1-9][0-9]{0,14}")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a patch; `number` is its place there, from 0, `path` is as it was sent."""

    number: int
    op: str
    path: str
    value: Any
    from_: str


class _DoesNotFit(Exception):
    """The operation does not fit the value. The sentence says why."""


def operations(patch: Any) -> list[Operation]:
    """The operations of a patch document. Raises Problem (400) for a document that is no patch."""
    if not isinstance(patch, list):
        raise Problem("malformed-patch", "A JSON Patch is a list of operations.")
    if len(patch) > MOST_OPERATIONS:
        sentence = f"A JSON Patch may have {MOST_OPERATIONS} operations here, not {len(patch)}."
        raise Problem("malformed-patch", sentence)
    return [_operation(number, each) for number, each in enumerate(patch)]


def _operation(number: int, members: Any) -> Operation:
    def malformed(reason: str) -> Problem:
        return Problem("malformed-patch", f"Operation {number} can't be read: {reason}.")

    if not isinstance(members, dict):
        raise malformed("it is not an object")
    op = members.get("op")
    if not isinstance(op, str) or op not in _NEEDED:
        raise malformed(f"op must be one of {', '.join(sorted(_NEEDED))}")
    for name in ("path", _NEEDED[op]):
        if name not in members:
            raise malformed(f"{op} needs {name}")
        if name != "value" and not _is_pointer(members[name]):
            raise malformed(
                f"{name} must be a JSON Pointer, empty or with a slash before each part, and with "
                "~0 for ~ and ~1 for / inside of a part"
            )
    return Operation(number, op, members["path"], members.get("value"), members.get("from", ""))


def _is_pointer(text: Any) -> bool:
    return isinstance(text, str) and _POINTER.fullmatch(text) is not None


def carried_out(value: Any, patch: list[Operation], limit: int) -> Any:
    """What the operations make of the value, which they may change; the patch stays as it is.

    `limit` is the most bytes that they may make by copying. Raises Problem: 409 for an operation
    that does not fit, 413 past the limit.
    """
    room = limit
    for each in patch:
        try:
            if each.op == "copy":
                text = json.dumps(_found(value, _parts(each.from_)), separators=(",", ":"))
                room -= len(text)
                if room < 0:  # a few dozen copies of the whole into itself fill any memory
                    sentence = f"Operation {each.number} makes the item larger than {limit} bytes."
                    raise Problem("content-too-large", sentence, members={"limit": limit})
                value = _added(value, each.path, json.loads(text))
            else:
                value = _CARRIED_OUT[each.op](value, each)
        except RecursionError:  # of a copy, whose source operations before it have made so deep
            raise _conflict(each, "what it copies is nested too deep") from None
        except _DoesNotFit as error:
            raise _conflict(each, str(error)) from None
    return value


def _conflict(each: Operation, reason: str) -> Problem:
    operation = f"Operation {each.number} ({each.op} {quoted(each.path)})"
    members = {"operation": each.number}
    return Problem(
        "patch-conflict", f"{operation} does not fit the item: {reason}.", members=members
    )


def _add(value: Any, each: Operation) -> Any:
    return _added(value, each.path, _own(each.value))


def _replace(value: Any, each: Operation) -> Any:
    if not each.path:
        return _own(each.value)
    container, key = _place(value, each.path)
    container[key] = _own(each.value)
    return value


def _remove(value: Any, each: Operation) -> Any:
    if not each.path:
        raise _DoesNotFit("an item can't be without a body; DELETE deletes it")
    container, key = _place(value, each.path)
    del container[key]
    return value


def _move(value: Any, each: Operation) -> Any:
    moved = _found(value, _parts(each.from_))
    if each.from_ == each.path:
        return value
    if each.path.startswith(f"{each.from_}/"):
        raise _DoesNotFit(f"it would move {_named(_parts(each.from_))} into itself")
    container, key = _place(value, each.from_)
    del container[key]
    return _added(value, each.path, moved)


def _test(value: Any, each: Operation) -> Any:
    if not _are_equal(_found(value, _parts(each.path)), each.value):
        raise _DoesNotFit("what is there is not what the test wants")
    return value


_CARRIED_OUT = {
    "add": _add, "replace": _replace, "remove": _remove, "move": _move, "test": _test,
}  # fmt: skip


def _own(value: Any) -> Any:
    """A copy of what the patch holds, which is carried out again when another writer comes between.

    Later operations may change the copy.
    """
    if isinstance(value, dict):
        return {name: _own(inner) for name, inner in value.items()}
    return [_own(inner) for inner in value] if isinstance(value, list) else value


def _are_equal(one: Any, other: Any) -> bool:
    """As RFC 6902 §4.6 has it: 1 is 1.0, and is not true. No deeper than `other`, a patch, is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _are_equal(inner, other[name]) for name, inner in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_are_equal, one, other))
    return bool(one == other)


def _parts(pointer: str) -> Path:
    """The parts of a JSON Pointer, unescaped (RFC 6901 §4)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _found(value: Any, path: Path) -> Any:
    """What is at a path. Raises _DoesNotFit."""
    for container, key in _steps(value, path):
        value = container[key]
    return value


def _place(value: Any, pointer: str) -> tuple[Any, Any]:
    """The object or list that has what is at a pointer, and its key there. Raises _DoesNotFit."""
    *_, place = _steps(value, _parts(pointer))
    return place


def _steps(value: Any, path: Path) -> Iterator[tuple[Any, Any]]:
    """Each object or list on the way, with the key of the next one. Raises _DoesNotFit."""
    for depth, part in enumerate(path):
        key: str | int = part
        if isinstance(value, list):
            key = _index(value, path, depth, most=len(value) - 1)
        elif not isinstance(value, dict):
            raise _DoesNotFit(f"{_named(path[:depth])} is neither an object nor a list")
        elif part not in value:
            raise _DoesNotFit(f"{_named(path[:depth])} has no member {quoted(part)}")
        yield value, key
        value = value[key]


def _index(elements: list[Any], path: Path, depth: int, most: int) -> int:
    """The index that a part of a path is, `most` at most (RFC 6901 §4). Raises _DoesNotFit."""
    part, where = path[depth], _named(path[:depth])
    if part == "-":
        raise _DoesNotFit(f"- is after the last element of {where}, and nothing is there")
    if not _INDEX.fullmatch(part):
        raise _DoesNotFit(f"{quoted(part)} is no index, and {where} is a list")
    if int(part) > most:
        raise _DoesNotFit(f"{where} has {len(elements)} elements, and {part} is after them")
    return int(part)


def _added(value: Any, pointer: str, new: Any) -> Any:
    """The value with something new at a pointer (RFC 6902 §4.1). Raises _DoesNotFit."""
    path = _parts(pointer)
    if not path:
        return new
    container = _found(value, path[:-1])
    if isinstance(container, dict):
        container[path[-1]] = new
    elif isinstance(container, list):
        end = len(container)
        is_end = path[-1] == "-"
        container.insert(end if is_end else _index(container, path, len(path) - 1, end), new)
    else:
        raise _DoesNotFit(f"{_named(path[:-1])} is neither an object nor a list")
    return value


def _named(path: Path) -> str:
    """A place in words."""
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
    return f"what is at {quoted(''.join(f'/{part}' for part in escaped))}" if path else "the item"
