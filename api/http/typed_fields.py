"""The header fields that nearly every request is asked about, as values."""

from __future__ import annotations

from itemstore.api.http.conditions import Conditions, conditions_in
from itemstore.api.http.header_fields import text_of
from itemstore.api.http.hosts import is_nobodys
from itemstore.api.http.preferences import preferred_return
from itemstore.api.http.trace_context import traceparent
from itemstore.domain.values import value
from itemstore.server.fields_by_name import FieldsByName


@value
class TypedFields:
    """What header fields say. Each is as if it was not sent where it can't be read.

    `length` is that of the body, 0 where it is not told. `names_a_host` is whether Host names a
    machine, which may be a stranger's. `preferred_return` and `traceparent` are None where they
    were not sent.
    """

    conditions: Conditions
    length: int
    names_a_host: bool
    preferred_return: str | None
    traceparent: str | None


def typed(fields: FieldsByName) -> TypedFields:
    """What the fields say, which is noted with them: they may come again."""
    host = fields.get(b"host")
    length = fields.get(b"content-length", b"").strip(b" \t")
    trace = text_of(fields, b"traceparent")
    found = fields.typed = TypedFields(
        conditions_in(fields),
        int(length[:20]) if length.isdigit() else 0,
        bool(host) and not is_nobodys(host),
        preferred_return(fields),
        None if trace is None else traceparent(trace),
    )
    return found
