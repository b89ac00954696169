"""Prefer (RFC 7240): whether a write is answered with the item or without."""

from __future__ import annotations

import re

from api.request import Request

_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_RETURN = re.compile(r'\s*return\s*=\s*"?(minimal|representation)"?\s*(?:;.*)?', re.IGNORECASE)


def preferred_return(request: Request) -> str | None:
    """`minimal` or `representation` (§4.2), None where the client has no preference."""
    prefer = request.field(b"prefer")
    if prefer is None:
        return None
    for element in _ELEMENT.findall(prefer):
        if found := _RETURN.fullmatch(element):
            return found[1].lower()
    return None
