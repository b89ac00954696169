"""The header fields of a request by name."""

from __future__ import annotations

from collections.abc import Sequence


def fields_by_name(fields: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields by name; the values of one that comes several times are joined (RFC 9110 §5.3)."""
    found = dict(fields)
    if len(found) < len(fields):
        found = {}
        for name, value in fields:
            found[name] = found[name] + b", " + value if name in found else value
    return found
