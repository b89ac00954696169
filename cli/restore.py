"""`itemstore restore`: a store from an archive."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.output import say
from itemstore.cli.verb import Where, verb


@verb
async def restore(
    where: Where,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="The archive: a directory, s3://, gs:// or az://.",
            metavar="<place>",
            show_default=False,
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(help="As of this position or time. [default: its end]", metavar="<position>"),
    ] = None,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Go on with the very archive that is restored from, and don't ask: another store "
            "that writes to it can't any more.",
        ),
    ] = False,
) -> None:
    """Make a store of an archive, in an engine that has none."""
    from itemstore.cli.opening import checked_settings
    from itemstore.cli.restoring import restore_from

    for line in await restore_from(checked_settings(where), source, at, take_over=take_over):
        say(line)
