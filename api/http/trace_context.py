"""`traceparent`: the trace that a write belongs to (W3C Trace Context)."""

from __future__ import annotations

import re

_TRACEPARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<ids>[0-9a-f]{32}-[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_NO_ID = re.compile("0{32}-.*|.*-0{16}")
_SAMPLED = 1


def traceparent(text: str) -> str | None:
    """The field as version 00 has it (§3.2.2), None for what is none: that is no error.

    Of a later version the parts are read that it has in common with version 00, and of its flags
    the one that is known (§4.3); it stands in the log as version 00.
    """
    match = _TRACEPARENT.fullmatch(text)
    if match is None or match["version"] == "ff" or _NO_ID.fullmatch(match["ids"]):
        return None
    if match["version"] == "00":
        return None if match["rest"] else text
    return f"00-{match['ids']}-{int(match['flags'], 16) & _SAMPLED:02x}"
