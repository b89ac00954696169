"""Values: what is made once and never changed, such as an event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """A dataclass whose fields are set once, with slots, equality and a hash.

    For mypy it is frozen. At run time nothing stands in the way: a frozen dataclass sets each of
    its fields with a call, and so takes three times as long to make (docs/decisions/0038).
    """
    return dataclass(slots=True, unsafe_hash=True)(kind)
