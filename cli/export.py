"""`itemstore export`: the log on stdout, for a backup or another program."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import aclosing
from typing import Annotated

import typer

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.interruption import Interrupted, at_once, postponed
from itemstore.cli.options import After, Collections
from itemstore.cli.output import say
from itemstore.cli.verb import Where, verb_with
from itemstore.domain.cursors import cursor_after
from itemstore.domain.positions import START
from itemstore.engine.errors import LogUnavailable


@verb_with(tells_interruption=True)
async def export(
    where: Where,
    after: After = None,
    collection: Collections = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="All of an archive, without an engine: a directory, s3://, gs://, az://.",
            metavar="<place>",
        ),
    ] = None,
) -> None:
    """Write the log to stdout, one CloudEvents object a line."""
    if source is not None:
        await _export_archive(where, source, is_part=after is not None or bool(collection))
        return
    from itemstore.cli.events import View, start_of
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.projections.progress import Progress
    from itemstore.store.failures import told

    async with opened(where) as store:
        view = View.of(store, collection, as_json=True)
        reader = view.feed.reader
        position = await start_of(view.feed, after) if after is not None else START
        count, total = 0, (await reader.extent()).events
        try:
            # In a file no line may be torn, and what is said here has to be what is there. A
            # pipe's reader may stop reading, and a signal can't wait for that.
            interruption = postponed() if stat.S_ISREG(os.fstat(1).st_mode) else at_once()
            with reported(quiet=sys.stdout.isatty()) as report, interruption as check:
                async with aclosing(reader.recorded_slices(position)) as slices:
                    async for recorded in slices:
                        view.show(recorded)
                        count += len(recorded)
                        position = cursor_after(position, recorded, view.feed.partitions)
                        check()
                        whole = max(total, count) if after is None else 0
                        report(Progress("exported", count, whole))
        except LogUnavailable as error:
            raise Stop(f"{told(error)} {_broken_off(count, position)}") from None
        except Interrupted as interruption:
            interruption.tell(f"Interrupted. {_broken_off(count, position)}")
            raise
        go_on = f"; what comes next: --after {position}" if view.feed.partitions > 1 else ""
        say(f"{count} {'event' if count == 1 else 'events'} exported{go_on}")


async def _export_archive(where: Where, place: str, *, is_part: bool) -> None:
    from itemstore.cli.archive_export import export_archive
    from itemstore.cli.opening import checked_settings

    if is_part:
        message = "--from goes without --after and --collection: an archive is exported whole."
        raise Stop(message, MISUSED)
    await export_archive(place, checked_settings(where).archive_cache)


def _broken_off(count: int, position: str) -> str:
    said = f"{count} {'event was' if count == 1 else 'events were'} exported, but not all."
    return f"{said} To go on: itemstore export --after {position}" if count else said
