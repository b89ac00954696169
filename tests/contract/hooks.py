"""What schemathesis has to know of the API to ask it sensible questions."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.meta import TestPhase

numbers = itertools.count()

TAG = st.from_regex(r'(W/)?"[!#-~]{0,20}"', fullmatch=True)

schemathesis.openapi.format(
    "entity-tags",
    st.just("*") | st.lists(TAG, min_size=1, max_size=3).map(", ".join),
)
schemathesis.openapi.format("position", st.from_regex("[0-9]{1,15}-[0-9]{1,18}", fullmatch=True))
schemathesis.openapi.format(
    "http-date",
    st.datetimes(timezones=st.just(UTC)).map(lambda time: format_datetime(time, usegmt=True)),
)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A key of its own for each request, no waiting, and no past of what was deleted."""
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and key.isascii() and key.isprintable() and key.strip():
        # Requests that differ may not share a key, which schemathesis can't know.
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
    if case.headers and case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL:
        # What was deleted has a past all the same, and there it must not be looked for.
        case.headers.pop("Accept-Datetime", None)
    with suppress(KeyError, TypeError, ValueError):
        if 0 <= float(case.query["wait"]) <= 60:
            case.query["wait"] = 0
