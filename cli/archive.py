"""`itemstore archive`: how the archive stands; seal, check and trim it now."""

from __future__ import annotations

from enum import Enum
from json import dumps
from typing import Annotated

import typer

from itemstore.cli.options import Json
from itemstore.cli.output import say, write_text
from itemstore.cli.verb import Where, verb


class Work(Enum):
    """What can be done with an archive."""

    show = "show"
    seal = "seal"
    check = "check"
    trim = "trim"


@verb
async def archive(
    where: Where,
    work: Annotated[
        Work,
        typer.Argument(
            help="show how it stands, seal what is new, check all of it, or trim the engine."
        ),
    ] = Work.show,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With trim: say what would go, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how the archive stands, or seal, check or trim now."""
    from itemstore.cli.archiving import done_on, lines_of
    from itemstore.cli.errors import MISUSED, Stop
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported

    if dry_run and work is not Work.trim:
        message = "--dry-run goes with `itemstore archive trim`."
        raise Stop(message, MISUSED)
    name = "to_trim" if dry_run else work.value
    async with opened(where) as store:
        if not store.is_archived:
            message = "The store has no archive: name a place for it with ITEMSTORE_ARCHIVE."
            raise Stop(message)
        with reported(quiet=json) as report:
            facts, complaints = await done_on(store, name, report)
    if json:
        write_text(dumps(facts | {"complaints": complaints} if work is Work.check else facts))
    else:
        for line in lines_of(facts):
            write_text(line)
        for complaint in complaints:
            say(complaint)
    raise typer.Exit(1 if complaints else 0)
