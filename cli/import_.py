"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from itemstore.cli.output import say
from itemstore.cli.verb import Where, verb


@verb
async def import_(
    where: Where,
    file: Annotated[
        Path | None, typer.Argument(help="A file of JSON lines; stdin if it is missing or -.")
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Add to a log that has events, under new positions.")
    ] = False,
    collection: Annotated[
        str | None,
        typer.Option(
            help="Put all into this collection.", show_default="the one that a line's source names"
        ),
    ] = None,
) -> None:
    """Read events, one CloudEvents object a line, into an empty log."""
    from itemstore.cli.import_file import import_file
    from itemstore.cli.opening import opened

    path = None if file == Path("-") else file
    async with opened(where, new=True) as store:
        count = await import_file(store, path, append=append, only=collection)
    say(f"{count} {'event' if count == 1 else 'events'} imported")
