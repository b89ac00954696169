"""How far a read model in a SQLite file is, as another process sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.archive_history import BEGINNING, EVERY
from itemstore.domain.positions import milliseconds_of

FILE = "queries.sqlite"


def position_in(file: Path) -> str | None:
    """The position that it has of the items; None where it has nothing."""
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT position FROM itemstore_checkpoints").fetchone()
    except sqlite3.OperationalError:  # it is just being made
        return None
    return row[0] if row else None


def events_behind(file: Path, events: int) -> int:
    """How many of the first events of a history it lacks."""
    position = position_in(file)
    if position is None or position == "0-0":
        return events
    return events - (milliseconds_of(position) - BEGINNING) // EVERY - 1
