"""`traceparent`: the trace that a write belongs to (W3C Trace Context)."""

from __future__ import annotations

import re

_TRACEPARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<ids>[0-9a-f]{32}-[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-[^,]*)?"
)
_NO_ID = re.compile("0{32}-.*|.*-0{16}")
_SAMPLED = 1


def traceparent(text: str) -> str | None:
    """The field in the form of version 00 (§3.2.2); None, and no error, for one that can't be read.

    From a later version, the parts that it shares with version 00 are read, and the one flag that
    is known (§4.3).
    """
    match = _TRACEPARENT.fullmatch(text)
    if match is None or match["version"] == "ff" or _NO_ID.fullmatch(match["ids"]):
        return None
    if match["version"] == "00":
        return None if match["rest"] else text
    return f"00-{match['ids']}-{int(match['flags'], 16) & _SAMPLED:02x}"
