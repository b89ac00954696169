"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from itemstore.cli.output import say, write_text
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
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Write nothing: check all, and say about how long it would take."
        ),
    ] = False,
    collection: Annotated[
        str | None,
        typer.Option(
            help="Put all into this collection. [default: the one that a line's source names]",
            metavar="<name>",
        ),
    ] = None,
) -> None:
    """Read events, one CloudEvents object a line, into an empty log."""
    from itemstore.cli.import_file import import_file
    from itemstore.cli.opening import opened

    path = None if file == Path("-") else file
    if dry_run:
        await _tell(where, path, append=append, only=collection)
        return
    async with opened(where, new=True) as store:
        count = await import_file(store, path, append=append, only=collection)
    say(f"{count} {'event' if count == 1 else 'events'} imported")


async def _tell(where: Where, path: Path | None, *, append: bool, only: str | None) -> None:
    """Prints what would come of it. A store that is not there yet is taken to be an empty one."""
    from itemstore.cli.import_estimate import has_no_store, tell_import
    from itemstore.cli.opening import checked_settings
    from itemstore.store.opening import open_store

    settings = checked_settings(where)
    with TemporaryDirectory(prefix="itemstore-") as empty:
        if has_no_store(settings):
            settings = settings.model_copy(update={"data_dir": Path(empty) / "data"})
        async with open_store(settings, new=True) as store:
            write_text(await tell_import(store, path, append=append, only=only))
