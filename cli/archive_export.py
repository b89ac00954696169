"""The work of `itemstore export --from`: an archive on stdout, without an engine."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from contextlib import aclosing

from itemstore.archive.all_lines import all_lines
from itemstore.archive.archive import Archive
from itemstore.archive.manifest import Manifest
from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted, at_once, postponed
from itemstore.cli.output import say, write_data
from itemstore.cli.progress import reported
from itemstore.cli.restoring import sources_at
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.projections.progress import Progress
from itemstore.store.restore import manifests_of
from itemstore.store.restore_section import RestoreRefused


async def export_archive(place: str, cache_bytes: int) -> None:
    """Writes all events of the archive at a place. Raises Stop and Interrupted."""
    archives = await sources_at(place, cache_bytes)
    try:
        manifests = await manifests_of(archives)
    except RestoreRefused as error:
        raise Stop(str(error)) from None
    count = [0]
    try:
        await _export([*zip(archives, manifests, strict=True)], count)
    except (LogUnavailable, LogBroken) as error:
        raise Stop(f"{error} {_broken_off(count[0])}") from None
    except Interrupted as interruption:
        interruption.tell(f"Interrupted. {_broken_off(count[0])}")
        raise
    say(f"{count[0]} {'event' if count[0] == 1 else 'events'} exported")


async def _export(archives: Sequence[tuple[Archive, Manifest]], count: list[int]) -> None:
    total = sum(manifest.events for _, manifest in archives)
    # In a file no line may be torn. A pipe's reader may stop reading, and a signal can't wait.
    interruption = postponed() if stat.S_ISREG(os.fstat(1).st_mode) else at_once()
    with reported(quiet=sys.stdout.isatty()) as report, interruption as check:
        async with aclosing(all_lines(archives)) as parts:
            async for lines in parts:
                write_data(b"".join(line + b"\n" for line in lines))
                count[0] += len(lines)
                check()
                report(Progress("exported", count[0], total))


def _broken_off(count: int) -> str:
    return f"{_events(count)} exported, but not all."


def _events(count: int) -> str:
    return "1 event was" if count == 1 else f"{count:,} events were"
