"""The header fields of a request by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class FieldsByName(dict[bytes, bytes]):
    """Header fields by their names, in lower case. Nobody changes them.

    Other requests may have the same, at other times. `typed` is what the application makes of them,
    and depends on nothing else.
    """

    typed: Any = None


def fields_by_name(fields: Sequence[tuple[bytes, bytes]]) -> FieldsByName:
    """The fields by name; the values of one that comes several times are joined (RFC 9110 §5.3)."""
    found = FieldsByName(fields)
    if len(found) < len(fields):
        found.clear()
        for name, value in fields:
            found[name] = found[name] + b", " + value if name in found else value
    return found
