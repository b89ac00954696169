"""The work of `itemstore restore`, and what it says."""

from __future__ import annotations

from contextlib import aclosing

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.object_store import object_store_of
from itemstore.archive.objects import NotAnArchive
from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.output import say
from itemstore.cli.progress import reported
from itemstore.engine.errors import LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.store.opening import events_of, open_store
from itemstore.store.restore import Restored, RestoreRefused, has_same_archive, restore, restored
from itemstore.store.restore_end import NoSuchEnd, check_end
from itemstore.store.settings import Settings

AGAIN = "The store is not complete: run the same command again to go on."


async def restore_from(settings: Settings, place: str, at: str | None) -> list[str]:
    """Restores the store that the settings name; what is said of it then.

    Raises Stop and Interrupted, and says before whether to run it again.
    """
    try:
        check_end(at)
    except NoSuchEnd as error:
        raise Stop(str(error), MISUSED) from None
    try:
        source = Archive(object_store_of(place), settings.archive_cache)
    except NotAnArchive as error:
        message = f"--from: {error}"
        raise Stop(message, MISUSED) from None
    async with open_store(settings, new=True, half_restored=True) as store:
        has_begun = False
        try:
            with reported(quiet=False) as report:
                async with aclosing(restore(store, source, at, report)) as steps:
                    async for _ in steps:
                        has_begun = True
        except Interrupted:
            say(f"Interrupted. {AGAIN if has_begun else 'Nothing was restored.'}")
            raise
        except (RestoreRefused, NoSuchEnd, Outrun) as error:
            raise Stop(str(error)) from None
        except (LogUnavailable, LogFull, LogBroken, LogMoved) as error:
            message = f"{error} {AGAIN}" if has_begun else str(error)
            raise Stop(message) from None
        own = store.archive
        is_taken_over = own is not None and await has_same_archive(own, source)
        return _told(await restored(store), own.place if own else None, is_taken_over)


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
