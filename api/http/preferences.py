"""Prefer (RFC 7240): whether a write is answered with the item or without."""

from __future__ import annotations

import re
from collections.abc import Mapping

from itemstore.api.http.header_fields import members, text_of, unquoted

_PREFERENCE = re.compile(
    r'([^\s=;"]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s=;"]*))?[ \t]*(?:;.*)?'
)

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
