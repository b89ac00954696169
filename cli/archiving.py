"""The work of `itemstore archive`: each gives facts by name, and sentences on what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archiving import Archiving, NotAllArchived
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.sealing import TakenBack
from itemstore.archive.trimming import Keep
from itemstore.cli.errors import Stop
from itemstore.cli.terminal_text import escaped
from itemstore.projections.progress import Report
from itemstore.store.archive_check import checked, not_its_own
from itemstore.store.archive_facts import archive_facts, to_trim
from itemstore.store.archiver import logs_of
from itemstore.store.store import Store

ATTEMPTS = 20
"""How often it is tried anew where an archiver of another process was first."""

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
    archiving, settings = Archiving(logs_of(store), archive), store.settings
    await _sealed(archiving)
    trimmed = await _done(lambda: archiving.trim(Keep(settings.keep_events, settings.keep_bytes)))
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


def lines_of(facts: Mapping[str, Any]) -> Iterator[str]:
    """A fact a line."""
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
