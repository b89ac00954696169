"""Content codings: whether a client takes an answer compressed (RFC 9110 §12.5.3)."""

from __future__ import annotations

from itemstore.api.http.accept import weight_of
from itemstore.api.http.header_fields import members, named
from itemstore.api.http.request import Request


def takes_gzip(request: Request) -> bool:
    """Whether Accept-Encoding names gzip, by this name or by `*`, and would not rather have none.

    A client that sends no such field may be one that can't decode anything.
    """
    field = request.field(b"accept-encoding")
    if field is None:
        return False
    read = [each for member in members(field) if (each := named(member))]
    weights = {coding: weight_of(dict(parameters)) for coding, parameters in read}
    gzip = next((weights[name] for name in ("gzip", "x-gzip", "*") if name in weights), 0.0)
    return 0 < gzip >= weights.get("identity", 0.0)
