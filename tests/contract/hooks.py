"""What schemathesis has to know of the API to ask it sensible questions."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A key of its own for each request, and no waiting."""
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and key.isascii() and key.isprintable() and key.strip():
        # Requests that differ may not share a key, which schemathesis can't know.
        asked = repr((case.method, case.path_parameters, case.query, case.headers, case.body))
        case.headers["Idempotency-Key"] = hashlib.sha256(asked.encode()).hexdigest()
    with suppress(KeyError, TypeError, ValueError):
        if 0 <= float(case.query["wait"]) <= 60:
            case.query["wait"] = 0
