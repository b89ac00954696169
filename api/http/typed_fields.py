"""The header fields that nearly every request is asked about, as values."""

from __future__ import annotations

from itemstore.api.http.conditions import Conditions, conditions_in
from itemstore.api.http.header_fields import text_of
from itemstore.api.http.hosts import may_be_a_strangers
from itemstore.api.http.trace_context import traceparent
from itemstore.domain.values import value
from itemstore.server.fields_by_name import FieldsByName


@value
class TypedFields:
    """What header fields say by themselves, whoever asks and when.

    `length` is that of the body, 0 where it is not told. `names_a_stranger` says whether Host names
    a machine that may be a stranger's. `traceparent` is None where there is none that can be read.
    """

    conditions: Conditions
    length: int
    names_a_stranger: bool
    traceparent: str | None


def typed_fields_of(fields: FieldsByName) -> TypedFields:
    """What the fields say. It is noted with them, as they may come again."""
    host = fields.get(b"host")
    length = fields.get(b"content-length", b"").strip(b" \t")
    trace = text_of(fields, b"traceparent")
    found = fields.typed = TypedFields(
        conditions_in(fields),
        int(length[:20]) if length.isdigit() else 0,
        bool(host) and may_be_a_strangers(host),
        None if trace is None else traceparent(trace),
    )
    return found
