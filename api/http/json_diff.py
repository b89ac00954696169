"""What changed from one JSON value to another, as a JSON Patch (RFC 6902), in linear time."""

from __future__ import annotations

from typing import Any

from itemstore.api.http.json_patch import MOST_OPERATIONS

MOST_PATHS = 256 * 1024
"""Characters of all paths of a patch. The name of one member can be as long as a body."""

Operations = list[dict[str, Any]]

_Path = tuple[Any, ...]
"""`(path of what is around, key)`, or `()`. Written out only where an operation needs it."""


def diff(before: Any, after: Any) -> Operations:
    """The operations that turn `before` into `after`: no more than PATCH takes at once.

    A part with more changes than that is replaced as a whole. Lists are compared from both ends,
    so that what was put in or taken out at one place is one change for each element.
    """
    listed, _ = _Differ().changes(before, after, ())
    return listed


class _Differ:
    """Numbers equal values alike, so that two parts are compared in one step.

    Without the numbers a part would be compared again at each level around it.
    """

    def __init__(self) -> None:
        self._by_content: dict[Any, int] = {}
        self._by_identity: dict[int, int] = {}

    def changes(self, old: Any, new: Any, path: _Path) -> tuple[Operations, int]:
        """The operations, and the length of their paths. The parts must not change meanwhile."""
        if self._number(old) == self._number(new):
            return [], 0
        found = None
        if isinstance(old, dict) and isinstance(new, dict):
            found = self._of_objects(old, new, path)
        elif isinstance(old, list) and isinstance(new, list):
            found = self._of_lists(old, new, path)
        if found is None:
            found = _Found()
            found.add("replace", path, new)
        return found.operations, found.length

    def _of_objects(self, old: dict[str, Any], new: dict[str, Any], path: _Path) -> _Found | None:
        """The changes of members; None where there are too many."""
        found = _Found()
        for name in old:
            if name not in new and not found.add("remove", (path, name)):
                return None
        for name, value in new.items():
            if name not in old:
                fits = found.add("add", (path, name), value)
            else:
                fits = found.extend(self.changes(old[name], value, (path, name)))
            if not fits:
                return None
        return found

    def _of_lists(self, old: list[Any], new: list[Any], path: _Path) -> _Found | None:
        """The changes of elements, by their places then; None where there are too many."""
        before, after = [*map(self._number, old)], [*map(self._number, new)]
        start, both = 0, min(len(old), len(new))
        while start < both and before[start] == after[start]:
            start += 1
        end = 0
        while end < both - start and before[-1 - end] == after[-1 - end]:
            end += 1
        found, last = _Found(), both - end
        for index in range(start, last):
            if not found.extend(self.changes(old[index], new[index], (path, index))):
                return None
        for _ in range(last, len(old) - end):
            if not found.add("remove", (path, last)):
                return None
        for index in range(last, len(new) - end):
            if not found.add("add", (path, index), new[index]):
                return None
        return found

    def _number(self, value: Any) -> int:
        """A number that equal values have, and no others: 1, 1.0, true, 0.0 and -0.0 differ."""
        content: Any
        if isinstance(value, dict):
            number = self._by_identity.get(id(value))
            if number is not None:
                return number
            content = frozenset((name, self._number(inner)) for name, inner in value.items())
        elif isinstance(value, list):
            number = self._by_identity.get(id(value))
            if number is not None:
                return number
            content = tuple(map(self._number, value))
        else:
            content = (type(value), repr(value) if isinstance(value, float) else value)
        number = self._by_content.setdefault(content, len(self._by_content))
        if isinstance(value, dict | list):
            self._by_identity[id(value)] = number
        return number


class _Found:
    """Operations, as long as they are not too many."""

    def __init__(self) -> None:
        self.operations: Operations = []
        self.length = 0

    def add(self, op: str, path: _Path, *value: Any) -> bool:
        """Adds an operation. Says whether there are still few enough."""
        text = _written(path)
        operation = {"op": op, "path": text, **({"value": value[0]} if value else {})}
        return self.extend(([operation], len(text)))

    def extend(self, more: tuple[Operations, int]) -> bool:
        """Adds the operations of a part. Says whether there are still few enough."""
        operations, length = more
        self.operations += operations
        self.length += length
        return len(self.operations) <= MOST_OPERATIONS and self.length <= MOST_PATHS


def _written(path: _Path) -> str:
    parts = []
    while path:
        path, key = path
        parts.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in reversed(parts))
