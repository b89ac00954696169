"""The work of `itemstore archive`: each gives facts by name, and sentences on what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archiving import Archiving, NotAllArchived
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.sealing import TakenBack
from itemstore.archive.whole import id_of_whole
from itemstore.cli.errors import Stop
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.logs.terminal_text import escaped
from itemstore.projections.progress import Report
from itemstore.store.archive_check import checked, not_its_own, whose
from itemstore.store.archive_facts import archive_facts, to_trim
from itemstore.store.archiver import begin_all, kept_of, logs_of
from itemstore.store.store import Store

ATTEMPTS = 20
"""How often it is tried anew where an archiver of another process was first."""

AT_ONCE = 4
"""Partitions that are worked on together."""

Found = tuple[dict[str, Any], list[str]]


async def show(store: Store, archive: Archive, _: Report) -> Found:
    """How it stands."""
    facts = await archive_facts(store, archive)
    wrong = archive.damage or await not_its_own(store, archive, await archive.current())
    return facts, [wrong] if wrong else []


async def seal(store: Store, archive: Archive, _: Report) -> Found:
    """Archives all that the logs have now; beside an archiver at work, too."""
    await _sealed(Archiving(logs_of(store), archive))
    facts = await archive_facts(store, archive)
    names = ("archive", "archive_id", "events", "last", "not_archived")
    return {name: facts[name] for name in names}, []


async def check_all(store: Store, archive: Archive, report: Report) -> Found:
    """Reads all of it."""
    found = await checked(store, archive, report)
    facts = {
        "archive": archive.place,
        "manifest": found.manifest.number if found.manifest else None,
        "events": found.events,
        "bytes": found.bytes,
        "unnamed_files": len(found.unnamed),
        "sound": not found.complaints,
    }
    return facts, found.complaints


async def trim(store: Store, archive: Archive, _: Report) -> Found:
    """Takes out of the engine what is archived and is not to be kept."""
    archiving = Archiving(logs_of(store), archive)
    await _sealed(archiving)
    trimmed = await _done(lambda: archiving.trim(kept_of(store.settings)))
    facts = await archive_facts(store, archive)
    return {"trimmed": trimmed, "trimmed_up_to": facts["trimmed_up_to"]}, []


async def what_to_trim(store: Store, archive: Archive, _: Report) -> Found:
    """Says what would go."""
    return await to_trim(store, archive), []


WORKS: Mapping[str, Callable[[Store, Archive, Report], Awaitable[Found]]] = {
    "show": show,
    "seal": seal,
    "check": check_all,
    "trim": trim,
    "to_trim": what_to_trim,
}


_SUMS = {
    *("segments", "indexes", "bytes", "events", "not_archived", "to_trim"),
    *("trimmed", "unnamed_files"),
}
"""The facts of partitions that are numbers, of which those of all are the sums."""


async def done_on(store: Store, name: str, report: Report) -> Found:
    """One of the works, on the archive of a store, or on those of all its partitions.

    One of several that can't be worked on is complained of, and holds up no other.
    """
    work = WORKS[name]
    if not store.has_partitions:
        assert store.archive is not None
        return await work(store, store.archive, report)
    await begin_all(store)
    few = asyncio.Semaphore(1 if work is check_all else AT_ONCE)

    async def found_in(section: Store) -> Found:
        assert section.archive is not None
        try:
            async with few:
                facts, complaints = await work(section, section.archive, report)
        except (LogUnavailable, LogBroken, Stop) as error:
            facts, complaints = {}, [str(error)]
        whole = whose(section.archive)
        return facts, [f"{whole}{sentence}" for sentence in complaints]

    found = await asyncio.gather(*map(found_in, store.sections))
    each = [{"partition": number} | facts for number, (facts, _) in enumerate(found)]
    return _together(store, each), [sentence for _, said in found for sentence in said]


def _together(store: Store, each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The facts of all partitions, by the names that those of one have; `partitions` has each."""
    names = dict.fromkeys(name for facts in each for name in facts)
    whole: dict[str, Any] = {}
    for name in names:
        values = [facts[name] for facts in each if name in facts]
        if name == "archive":
            whole[name] = store.archived_at
        elif name == "archive_id":
            whole[name] = next((id_of_whole(one) for one in values if one), None)
        elif name in _SUMS:
            whole[name] = sum(values)
        elif name == "not_archived_seconds":
            whole[name] = max(values)
        elif name in {"first", "last"}:
            positions = sorted((one for one in values if one != START), key=key_of)
            whole[name] = positions[0 if name == "first" else -1] if positions else START
        elif name == "sound":
            whole[name] = len(values) == len(each) and all(values)
    return whole | {"partitions": each}


def lines_of(facts: Mapping[str, Any]) -> Iterator[str]:
    """A fact a line; of several partitions how many there are."""
    if "partitions" in facts:
        facts = {**facts, "partitions": len(facts["partitions"])}
    for name, value in facts.items():
        yield escaped(f"{name:<22}{'none' if value is None else value}")


async def _sealed(archiving: Archiving) -> None:
    await _done(archiving.seal)


async def _done(work: Callable[[], Awaitable[Any]]) -> Any:
    """What it gives. Raises Stop, and what a failing engine or archive raises."""
    for attempt in range(ATTEMPTS):
        try:
            return await work()
        except (Outrun, TakenBack) as error:
            if attempt == ATTEMPTS - 1:
                raise Stop(str(error)) from None
            await asyncio.sleep(0.1)
        except (NotItsArchive, NotAllArchived) as error:
            raise Stop(str(error)) from None
    raise AssertionError  # the last attempt has returned or raised
