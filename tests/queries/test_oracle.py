"""Queries find what the library of RFC 9535 says that they have to, on each database.

This is a small part of it. All of it is `python -m tests.queries.oracle`.
"""

from __future__ import annotations

import pytest

from itemstore.projections.sql.database import Database
from tests.queries.oracle import compare


@pytest.mark.parametrize(("seed", "partitions"), [("one", 1), ("two", 1), ("three", 3)])
def test_pages_have_what_they_should(database: Database, seed: str, partitions: int) -> None:
    """All of it, in order, as of the position that a page has; with whatever indexes there are."""
    compare([database], seed, items=80, queries=12, partitions=partitions)
