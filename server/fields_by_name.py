"""The header fields of a request by name."""

from __future__ import annotations

from itemstore.server.answer_head import Fields


def fields_by_name(fields: Fields) -> dict[bytes, bytes]:
    """The fields by name; the values of one that comes several times are joined (RFC 9110 §5.3)."""
    found = dict(fields)
    if len(found) < len(fields):
        found = {}
        for name, value in fields:
            found[name] = found[name] + b", " + value if name in found else value
    return found
