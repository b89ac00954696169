"""The way to one value in a body: what is ordered by, shown alone, or indexed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar

from itemstore.projections.queries.filter_parser import FilterParser
from itemstore.projections.queries.scanner import DASHED_NAME, NAME, Scanner

T = TypeVar("T")

MOST_PATHS = 50
"""Paths in a list of them."""

_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 39: "\\'", 92: "\\\\"}
_ESCAPED = {code: f"\\u{code:04x}" for code in range(32)} | _ESCAPES


class Missing(Enum):
    """What is at a path in a body that has nothing there."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Path:
    """Names of members and indexes of elements, from the body on; no steps are the body itself.

    An index below zero counts from an array's end. `str` is how people write it: `title`,
    `@.address.city`.
    """

    steps: tuple[str | int, ...]

    @property
    def normalized(self) -> str:
        """Its one spelling: that of a normalized path (RFC 9535 section 2.7)."""
        return "$" + "".join(_bracketed(step) for step in self.steps)

    def __str__(self) -> str:
        match self.steps:
            case (str(name),) if DASHED_NAME.fullmatch(name):
                return name
        return "@" + "".join(
            f".{step}" if isinstance(step, str) and NAME.fullmatch(step) else _bracketed(step)
            for step in self.steps
        )


def value_at(path: Path, value: Any) -> Any:
    """The value that a body has at the path, MISSING where it has none. A null is a value."""
    for step in path.steps:
        if isinstance(step, str):
            if not isinstance(value, dict):
                return MISSING
            value = value.get(step, MISSING)
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


def path_of(text: str, parameter: str) -> Path:
    """The path that a text stands for: `title`, or a singular query (RFC 9535 section 2.3.5.1).

    Such are `@.address.city`, `$['a b'][0]`; `@` and `$` are the body both. Raises InvalidQuery.
    """
    scanner = Scanner(text, parameter)
    scanner.skip_blanks()
    path = read_path(scanner)
    scanner.skip_blanks()
    if not scanner.is_at_end:
        scanner.unexpected("the end of the path")
    return path


def listed(text: str, parameter: str, part: Callable[[Scanner], T]) -> list[T]:
    """The parts of a text, with commas between them, as `part` reads each. Raises InvalidQuery."""
    return _listed(Scanner(text, parameter), part)


def paths_written(text: str) -> list[Path]:
    """Paths that were read before and written again, with commas between them.

    That may have made them longer than what a client may write.
    """
    return _listed(Scanner(text, "path", longest=len(text)), read_path)


@lru_cache(maxsize=1024)
def path_written(text: str) -> Path:
    """One path that was read before and written again."""
    (path,) = paths_written(text)
    return path


def _listed(scanner: Scanner, part: Callable[[Scanner], T]) -> list[T]:
    parts: list[T] = []
    while True:
        scanner.skip_blanks()
        if len(parts) == MOST_PATHS:
            scanner.fail(f"there are more than {MOST_PATHS} of them")
        parts.append(part(scanner))
        scanner.skip_blanks()
        if scanner.is_at_end:
            return parts
        if not scanner.takes(","):
            scanner.unexpected("a comma or the end")


def read_path(scanner: Scanner) -> Path:
    """Reads the path that comes next. Raises InvalidQuery."""
    place = scanner.place
    name = scanner.match(DASHED_NAME)
    if name:
        if scanner.next in {".", "["}:
            scanner.fail(f"a path begins with @: @.{name.group():.40}{scanner.next}…", place)
        return Path((name.group(),))
    if scanner.next not in {"@", "$"}:
        scanner.unexpected("a name, or a path such as @.address.city")
    steps = FilterParser(scanner).selection().steps
    if steps is None:
        scanner.fail("it may select several values; a path leads to one", place)
    return Path(steps)


def _bracketed(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f"['{step.translate(_ESCAPED)}']"
