"""What schemathesis has to know of the API to ask it sensible questions."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.meta import TestPhase

numbers = itertools.count()

POSITION = re.compile("[0-9]{1,15}-[0-9]{1,18}")

NAME = st.from_regex("[a-z]{1,8}", fullmatch=True)

PATH = (
    NAME | st.builds("@.{}.{}".format, NAME, NAME) | st.builds("$['{}']['{}']".format, NAME, NAME)
)

COMPARISON = st.builds(
    "{}@.{} {} {}".format,
    st.sampled_from(["", "length(@.a) == 1 || "]),
    NAME,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.integers(-99, 99).map(str) | NAME.map('"{}"'.format) | st.sampled_from(["true", "null"]),
)

WHERE = st.recursive(
    COMPARISON | NAME.map("@.{}".format) | NAME.map('match(@.{}, "a.*")'.format),
    lambda inner: st.builds("({} && {})".format, inner, inner) | inner.map("!({})".format),
    max_leaves=4,
)


def listed(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A list of these, each once, with commas in between."""
    return st.lists(of, min_size=1, max_size=3, unique_by=lambda text: text.lstrip("-")).map(
        ",".join
    )


TAG = st.from_regex(r'(W/)?"[!#-~]{0,20}"', fullmatch=True)

schemathesis.openapi.format(
    "entity-tags",
    st.just("*") | st.lists(TAG, min_size=1, max_size=3).map(", ".join),
)
schemathesis.openapi.format("position", st.from_regex("[0-9]{1,15}-[0-9]{1,18}", fullmatch=True))
schemathesis.openapi.format("filter-expression", WHERE)
schemathesis.openapi.format("order", listed(PATH | PATH.map("-{}".format)))
schemathesis.openapi.format("fields", listed(PATH))
schemathesis.openapi.format("words", NAME | st.builds("{} {}".format, NAME, NAME))
schemathesis.openapi.format(
    "http-date",
    st.datetimes(timezones=st.just(UTC)).map(lambda time: format_datetime(time, usegmt=True)),
)


@schemathesis.hook
def filter_query(_context: Any, query: Any) -> bool:
    """Not what is wrong in a schema alone: a number in a URL is a name like any other."""
    return not any(isinstance((query or {}).get(name), int) for name in ("order", "fields"))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A key of its own for each request, no waiting, and no past of what was deleted.

    A position that is random is one that is waited for.
    """
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and key.isascii() and key.isprintable() and key.strip():
        # Requests that differ may not share a key, which schemathesis can't know.
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
    if case.headers and case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL:
        # What was deleted has a past all the same, and there it must not be looked for.
        case.headers.pop("Accept-Datetime", None)
    for given, name in ((case.headers, "If-Position"), (case.query, "min_position")):
        if given and POSITION.fullmatch(str(given.get(name))):
            given[name] = "0-0"
    with suppress(KeyError, TypeError, ValueError):
        if 0 <= float(case.query["wait"]) <= 60:
            case.query["wait"] = 0
