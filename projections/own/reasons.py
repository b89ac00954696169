"""Why something of somebody else's failed, in words that can be stored and shown."""

from __future__ import annotations

MOST = 500
"""Characters of it that are kept."""


def reason_of(error: BaseException) -> str:
    """The kind of the error and what it says, whatever that is."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - it is the operator's own
        text = "(what it says can't be read)"
    whole = f"{type(error).__name__}: {text}"[:MOST]
    return whole.encode(errors="replace").decode()
