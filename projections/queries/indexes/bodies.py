"""What the read model takes out of a body: the keys of its indexes, and its words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from itemstore.projections.queries.paths import MISSING, Path, path_written, value_at
from itemstore.projections.queries.sort_keys import sort_key
from itemstore.projections.queries.words import words_of
from itemstore.projections.sql.tables import Index


def keys_of(indexes: Iterable[Index], body: bytes | str) -> list[bytes | None]:
    """The sort keys of a body for each of the indexes, None where it has no value."""
    return keys_at([each.path for each in indexes], body)


def keys_at(paths: Iterable[str], body: bytes | str) -> list[bytes | None]:
    """The sort keys of the values at normalized paths of a body, None where it has none."""
    value = value_of(body)
    found = (value_at(path_written(each), value) for each in paths)
    return [None if each is MISSING else sort_key(each) for each in found]


def words_of_body(body: bytes | str, paths: Iterable[Path]) -> tuple[str, ...]:
    """The words of a body, each once."""
    return words_of(value_of(body), paths)


def value_of(body: bytes | str) -> Any:
    """The value of a body; MISSING for what is no JSON, which only another program can have put."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MISSING
