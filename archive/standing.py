"""How the archive stands, as the engine knows it: up to where it holds all, and what it lacks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from itemstore.archive.border_mark import mark_of
from itemstore.domain.positions import START, key_of, milliseconds_of, position_of
from itemstore.engine.one_trip import replies, sound
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_steps import part_of_logs
from itemstore.eventlog.past import BORDER, CLAIMED, MANIFEST, MARK, SEALED
from itemstore.eventlog.reader import Entry, Within

_POSITIONS = lua("itemstore.eventlog", "positions")
_CLAIM = Script(_POSITIONS + lua(__package__, "claim"))
_RAISE = Script(_POSITIONS + lua(__package__, "same_event", "raise"))
_HAVE_EVENTS = Script(lua(__package__, "same_event", "have_events"))

_COUNTED = "counted"

_AT_ONCE = 16
"""Events that are looked for in one step: each may be large."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the engine has noted of the archive; see StoreKeys.archive. Positions are START if none.

    `archive` is None where the store has none yet. `counted` says how many events the logs had had
    when they ended at `sealed`, and `mark` which event the border was moved to; see border_mark.py.
    """

    archive: str | None
    claimed: str
    sealed: str
    border: str
    counted: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The position up to which an archiver copies, and how many events each log has had by then."""

    up_to: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the archive is: what a store would lose with its machine now.

    `events` are those that are not archived, and `seconds` says how long the oldest of them has
    been there. `complaint` is what is wrong with the place, as this process sees it.
    """

    standing: Standing
    events: int
    seconds: float
    complaint: str | None = None

    @property
    def sentence(self) -> str:
        """The same, for a person."""
        if not self.events:
            return self.complaint or "The archive has every event."
        if self.events == 1:
            lost = (
                "With the engine's data, 1 event would be lost that is not archived yet, from "
                f"{self.seconds:.0f} s ago."
            )
        else:
            lost = (
                f"With the engine's data, {self.events:,} events would be lost that are not "
                f"archived yet, the oldest of them from {self.seconds:.0f} s ago."
            )
        return lost if self.complaint is None else f"{self.complaint} {lost}"


async def standing(client: Redis, keys: Keys) -> Standing:
    """What the engine has noted. Raises LogUnavailable and LogBroken."""
    with translated():
        found: Any = await client.hgetall(keys.store.archive)
    noted = {name.decode(): value.decode(errors="replace") for name, value in found.items()}
    claimed, sealed, border = (
        position_of(noted.get(name, START)) or START for name in (CLAIMED, SEALED, BORDER)
    )
    counted = noted.get(_COUNTED, "")
    return Standing(
        noted.get("archive"),
        claimed,
        sealed,
        border,
        int(counted) if counted.isdecimal() else 0,
        noted.get(MARK, ""),
    )


async def progress(client: Redis, logs: Sequence[Keys]) -> Progress:
    """How far the archive of a store with these logs is. Raises LogUnavailable and LogBroken."""
    noted = await standing(client, logs[0])
    commands = [command for log in logs for command in (("XLEN", log.events), ("GET", log.trimmed))]
    found = sound(await replies(client, commands, at_once=False))
    events = max(0, sum(int(each or 0) for each in found) - noted.counted)
    if not events:
        return Progress(noted, 0, 0.0)
    archived_to = max(noted.sealed, noted.border, key=key_of)
    next_one = await part_of_logs(client, logs, archived_to, Within(1, 1))
    if not next_one.entries:
        return Progress(noted, 0, 0.0)
    age = time.time() - milliseconds_of(next_one.position) / 1000
    return Progress(noted, events, max(0.0, age))


async def claim(client: Redis, logs: Sequence[Keys], archive: str) -> Claim:
    """Claims what the logs have now. Raises LogBroken where the store has another archive."""
    store = logs[0].store
    keys = [store.archive, store.position]
    for log in logs:
        keys += (log.events, log.trimmed)
    up_to, *counts = await _run(_CLAIM, client, keys, [archive])
    names = (log.collection for log in logs)
    return Claim(up_to.decode(), dict(zip(names, counts, strict=True)))


async def raise_sealed(client: Redis, log: Keys, archive: str, entry: Entry, counted: int) -> bool:
    """Notes that the archive holds all up to an event; False where the log doesn't have it."""
    return await _raise(client, log, archive, SEALED, entry, _COUNTED, counted)


async def raise_border(client: Redis, log: Keys, archive: str, entry: Entry, manifest: int) -> bool:
    """Lets readers ask the archive up to an event; False where the log doesn't have it.

    `manifest` is the number of one that has it: those before may have what was taken back since.
    """
    noted = (MANIFEST, manifest, MARK, mark_of(log.collection, entry))
    return await _raise(client, log, archive, BORDER, entry, *noted)


async def have_events(client: Redis, events: Sequence[tuple[Keys, Entry]]) -> list[bool]:
    """Which of these events the logs have, to the byte. Raises LogUnavailable and LogBroken."""
    found: list[bool] = []
    for first in range(0, len(events), _AT_ONCE):
        some = events[first : first + _AT_ONCE]
        arguments = [part for _, entry in some for part in (entry[0], _text(entry))]
        keys = [log.events for log, _ in some]
        found += map(bool, await _run(_HAVE_EVENTS, client, keys, arguments))
    return found


async def _raise(
    client: Redis, log: Keys, archive: str, field: str, entry: Entry, *noted: str | int
) -> bool:
    arguments = [archive, field, entry[0], _text(entry), *noted]
    return bool(await _run(_RAISE, client, [log.store.archive, log.events], arguments))


def _text(entry: Entry) -> bytes:
    return b"\n".join(entry[1])


async def _run(script: Script, client: Redis, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    with translated():
        return await script.run(client.execute_command, keys, arguments)
