"""What a filter expression is made of: the grammar of RFC 9535 (section 2.3.5) as values.

Only what is well typed (section 2.4.3) can be said with them, so nothing that can be built fails.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """Selects the member of an object that is called so."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """Selects one element of an array; below zero it counts from the end."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Selects elements of an array as Python's slices do; a step of 0 selects none."""

    start: int | None
    end: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Selects all members or elements."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects the members or elements of which the test is true, each being `@` in it."""

    test: Test


Selector = Name | Index | Slice | Wildcard | Filter


@dataclass(frozen=True, slots=True)
class Segment:
    """What its selectors select of each node, or of each node and all of its descendants."""

    selectors: tuple[Selector, ...]
    descends: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A query within an expression: of the root (`$`) or of the current node (`@`)."""

    of_root: bool
    segments: tuple[Segment, ...]

    @property
    def steps(self) -> tuple[str | int, ...] | None:
        """Names and indexes of a singular query, which selects one node at most; else None."""
        steps: list[str | int] = []
        for segment in self.segments:
            match segment:
                case Segment((Name(step) | Index(step),), descends=False):
                    steps.append(step)
                case _:
                    return None
        return tuple(steps)


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, string, true, false or null."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Length:
    """`length`: the characters of a string, elements of an array, or members of an object."""

    of: Value


@dataclass(frozen=True, slots=True)
class Count:
    """`count`: how many nodes are selected."""

    of: Selection


@dataclass(frozen=True, slots=True)
class ValueOf:
    """`value`: that of the only node that is selected."""

    of: Selection


Value = Literal | Selection | Length | Count | ValueOf
"""What can be compared; a selection among them is singular."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared; the operator is one of == != < <= > >=."""

    left: Value
    operator: str
    right: Value


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether anything is selected."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class Matches:
    """`match` of a whole text with a pattern (an I-Regexp, RFC 9485), or `search` of a part."""

    text: Value
    pattern: Value
    whole: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    test: Test


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    tests: tuple[Test, ...]


Test = Comparison | Exists | Matches | Not | And | Or
"""What is true or false of a node."""
