"""Prefer (RFC 7240): a write answered without the item, a query with how it was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping

from itemstore.api.http.header_fields import members, text_of, unquoted

_PREFERENCE = re.compile(
    r'([^\s=;"]+)(?:[ \t]*=[ \t]*+("(?:[^"\\]|\\.)*"|[^\s=;"]*))?[ \t]*(?:;.*)?'
)
"""Blanks after the = are not given back: else many of them take the square of their number."""

_KNOWN = frozenset({"minimal", "representation"})


def preferred_return(fields: Mapping[bytes, bytes]) -> str | None:
    """`minimal` or `representation` (§4.2), None where the client has no preference.

    Of a preference that is named several times the first counts (§2), also where it is not known.
    """
    if b"prefer" not in fields:
        return None
    for member in members(text_of(fields, b"prefer") or ""):
        found = _PREFERENCE.fullmatch(member)
        if found and found[1].lower() == "return":
            value = unquoted(found[2] or "").lower()
            return value if value in _KNOWN else None
    return None


def prefers_explanation(fields: Mapping[bytes, bytes]) -> bool:
    """Whether the client would like to be told how a query is answered: `explain`."""
    return any(
        found[1].lower() == "explain" and not unquoted(found[2] or "")
        for member in members(text_of(fields, b"prefer") or "")
        if (found := _PREFERENCE.fullmatch(member))
    )
