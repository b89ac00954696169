"""One statement for many rows of parameters, in place of one for each: some five times as fast.

A column of parameters is sent as one text, which PostgreSQL takes apart. No temporary table is
needed, and nothing of a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from re import DOTALL
from re import compile as pattern

from itemstore.projections.sql.database import Value

BETWEEN, NOTHING = "\x1f", "\x1e"
"""What stands between two values, and for one that there is not. Neither is in an id, or in JSON
other than as an escape."""

_PARAMETER = pattern(r"\?")

_INSERT = pattern(r"(INSERT INTO .*?) VALUES \((.*?)\)( ON CONFLICT .*)?", DOTALL)
_UPDATE = pattern(r"(UPDATE .*?)( WHERE .*)", DOTALL)
_DELETE = pattern(r"(DELETE FROM .*?)( WHERE .*)", DOTALL)


@lru_cache
def numbered(statement: str) -> str:
    """A statement with PostgreSQL's `$1`, `$2` in place of `?`."""
    numbers = count(1)
    return _PARAMETER.sub(lambda _: f"${next(numbers)}", statement)


def for_all(statement: str, types: Sequence[str]) -> str | None:
    """The statement for all rows at once, None where it is of another kind than those known here.

    `types` are those of its parameters. Its own parameters are columns of parameters, as `column`
    writes them.
    """
    columns = ", ".join(
        f"string_to_array(${number}, E'\\x1f', E'\\x1e')::{kind}[]"
        for number, kind in enumerate(types, 1)
    )
    names = ", ".join(f"p{number}" for number in range(1, len(types) + 1))
    rows = f"unnest({columns}) AS row_of ({names})"
    numbers = count(1)
    statement = _PARAMETER.sub(lambda _: f"row_of.p{next(numbers)}", statement.strip())
    if found := _INSERT.fullmatch(statement):
        conflict = found[3] or ""
        return f"{found[1]} SELECT {found[2]} FROM {rows} WHERE true{conflict}"  # noqa: S608 - ours
    if found := _UPDATE.fullmatch(statement):
        return f"{found[1]} FROM {rows}{found[2]}"
    if found := _DELETE.fullmatch(statement):
        return f"{found[1]} USING {rows}{found[2]}"
    return None


def column(values: Sequence[Value]) -> str | None:
    """A column of parameters as one text; None where it can't be one, and has to be sent apart."""
    text = BETWEEN.join([_text(value) for value in values])
    is_one = (
        text
        and text.count(BETWEEN) == len(values) - 1
        and text.count(NOTHING) == sum(value is None for value in values)
    )
    return text if is_one else None


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return NOTHING if value is None else str(int(value) if isinstance(value, bool) else value)
