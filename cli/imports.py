"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from api.cloudevents import NotAnEvent, decode
from cli.connection import Connection
from cli.errors import Stop
from domain.evolve import Item
from eventlog.errors import LogFull, LogUnavailable
from eventlog.importing import ForeignEvent, ImportRefused, LogMoved, checked, import_events
from eventlog.positions import START
from eventlog.room import Room
from projections.current_items import APPLY, CurrentItems

AT_ONCE = 1000

CheckedEvent = tuple[str, ForeignEvent]


async def import_file(connection: Connection, path: Path | None, *, append: bool) -> int:
    """How many events were imported. The file is read twice: all of it is checked first.

    Raises Stop for a line that can't be imported, before anything is written.
    """
    last = await connection.log.last_position()
    if last != START and not append:
        message = (
            f"The log has events already, up to {last}. Import into an empty log, or say "
            "--append, which gives the events new positions."
        )
        raise Stop(message)
    with _opened(path) as file:
        try:
            before = await _states(connection, file) if append else {}
            now = int(
                time.time() * 1000
            )  # one for both passes: what the first admits, the second does
            total = sum(1 for _ in checked(events(file), before.get, now, keep=not append))
            await import_events(
                connection.redis,
                connection.keys,
                APPLY,
                _with_room(
                    checked(events(file), before.get, now, keep=not append), connection.room
                ),
                last,
            )
        except ImportRefused as error:
            raise Stop(str(error)) from None
        except (LogMoved, LogUnavailable, LogFull) as error:
            message = (
                f"{error} The log now ends at {await _end(connection)}: what was imported stays. "
                "To begin again, take an empty log."
            )
            raise Stop(message) from None
    return total


def _with_room(events: Iterable[CheckedEvent], room: Room) -> Iterator[CheckedEvent]:
    """The events, for as long as there is room for them. Raises LogFull."""
    for event in events:
        room.check()
        yield event


async def _end(connection: Connection) -> str:
    try:
        return await connection.log.last_position()
    except LogUnavailable:
        return "a position that the engine can't say now"


def events(file: IO[bytes]) -> Iterator[ForeignEvent]:
    """The events in the file, from its start. Raises ImportRefused."""
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            yield decode(number, line)
        except NotAnEvent as error:
            raise ImportRefused(number, str(error)) from None


async def _states(connection: Connection, file: IO[bytes]) -> dict[str, Item | None]:
    """What the items that the file speaks of are now."""
    current = CurrentItems(connection.redis, connection.keys)
    names = sorted({event.item for event in events(file)})
    states: dict[str, Item | None] = {}
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        found = await asyncio.gather(*(current.get(name) for name in some))
        states |= zip(some, found, strict=True)
    return states


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[bytes]]:
    """The file, or a copy of stdin, which can be read twice as well. Raises Stop."""
    if path is None:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            yield copy
        return
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"{path}: {error.strerror}."
        raise Stop(message) from None
    with file:
        yield file
