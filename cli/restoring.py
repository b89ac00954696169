"""The work of `itemstore restore`, and what it says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.object_store import object_store_of
from itemstore.archive.objects import NotAnArchive
from itemstore.archive.whole import partitions_at
from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.output import agreed, is_terminal
from itemstore.cli.progress import reported
from itemstore.engine.errors import LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.projections.progress import Report
from itemstore.store.archive_place import archives_at
from itemstore.store.beginning import events_of
from itemstore.store.layout import WrongPartitions
from itemstore.store.opening import open_store
from itemstore.store.restore import Restored, has_same_archive, restore, restore_all, restored
from itemstore.store.restore_end import NoSuchEnd, check_end
from itemstore.store.restore_section import RestoreRefused
from itemstore.store.restoring import Restore, begun
from itemstore.store.settings import Settings
from itemstore.store.store import Store

AGAIN = "The store is not complete: run the same command again to go on."


async def restore_from(
    settings: Settings, place: str, at: str | None, *, take_over: bool
) -> list[str]:
    """Restores the store that the settings name; what is said of it then.

    Where it goes on with the very archive, a person at a terminal is asked, without `take_over`.

    Raises Stop and Interrupted, and says before whether to run it again.
    """
    try:
        check_end(at)
    except NoSuchEnd as error:
        raise Stop(str(error), MISUSED) from None
    sources = await sources_at(place, settings.archive_cache)
    partitions = len(sources)
    if settings.partitions not in {None, partitions}:
        raise Stop(_another_number(place, partitions))
    if partitions > 1:
        settings = settings.model_copy(update={"partitions": partitions})
    try:
        return await _restored_from(settings, place, sources, at, take_over=take_over)
    except WrongPartitions as error:
        message = f"{error} {_another_number(place, partitions)}"
        raise Stop(message) from None


async def sources_at(place: str, cache_bytes: int) -> Sequence[Archive]:
    """The archives at a place: of each partition, or of the only one. Raises Stop."""
    if not place:
        message = "--from takes the place of an archive, not ''."
        raise Stop(message, MISUSED)
    try:
        partitions = await partitions_at(object_store_of(place))
        return archives_at(place, partitions, cache_bytes)
    except NotAnArchive as error:
        message = f"--from: {error}"
        raise Stop(message, MISUSED) from None


async def _restored_from(
    settings: Settings, place: str, sources: Sequence[Archive], at: str | None, *, take_over: bool
) -> list[str]:
    async with open_store(settings, new=True, half_restored=True) as store:
        if len(store.sections) != len(sources):
            raise Stop(_another_number(place, len(sources)))
        has_begun = False
        try:
            if not take_over and is_terminal():
                await _ask_before_taking_over(store, sources[0])
            with reported(quiet=False) as report:
                async with aclosing(_steps(store, sources, at, report)) as steps:
                    async for _ in steps:
                        has_begun = True
        except Interrupted as interruption:
            interruption.tell(f"Interrupted. {AGAIN if has_begun else 'Nothing was restored.'}")
            raise
        except (RestoreRefused, NoSuchEnd, Outrun) as error:
            raise Stop(str(error)) from None
        except (LogUnavailable, LogFull, LogBroken, LogMoved) as error:
            message = f"{error} {AGAIN}" if has_begun else str(error)
            raise Stop(message) from None
        own = store.sections[0].archive
        is_taken_over = own is not None and await has_same_archive(own, sources[0])
        return _told(await restored(store), store.archived_at, is_taken_over)


async def _ask_before_taking_over(store: Store, source: Archive) -> None:
    """Asks a person, once, where the store is to go on with the archive that it is made of.

    Raises Stop where that is not wanted. A restore that is under way has been asked about.
    """
    own = store.sections[0].archive
    if own is None or await begun(store.partition) is not None:
        return
    if await has_same_archive(own, source) and not agreed(
        f"The new store goes on with the archive in {store.archived_at}, and another store that "
        "still writes to it can't any more. Take it over?"
    ):
        message = "Nothing was restored: name another place with --archive, or say --take-over."
        raise Stop(message)


def _steps(
    store: Store, sources: Sequence[Archive], at: str | None, report: Report
) -> AsyncGenerator[Restore, None]:
    if len(sources) == 1:
        return restore(store, sources[0], at, report)
    return restore_all(store, sources, at, report)


def _another_number(place: str, partitions: int) -> str:
    has = "1 partition" if partitions == 1 else f"{partitions} partitions"
    return (
        f"The archive in {place} is of a store with {has}, and a restore makes one with as many. "
        f"For another number: `itemstore export --from {place} | itemstore import`, into an empty "
        "store that has it."
    )


def _told(found: Restored, place: str | None, is_taken_over: bool) -> list[str]:
    items = "1 item" if found.items == 1 else f"{found.items:,} items"
    lines = [
        (
            f"{events_of(found.events)} and {items} restored, up to {found.position}; "
            f"{found.in_engine:,} of the events are in the engine."
        )
    ]
    if place is None:
        lines.append("The store has no archive of its own (ITEMSTORE_ARCHIVE).")
    else:
        lines.append(f"The store goes on with the archive in {place}.")
    if is_taken_over:
        lines.append(
            "It has taken that over: should the store that had it be there still, that one can add "
            "nothing to it any more, and says so in its log."
        )
    return [
        *lines,
        "Its log has a new id: who follows the feed by the old one is told so (409).",
        "Tokens are in no archive: make them with `itemstore token create` before you serve it.",
    ]
