"""`itemstore rebuild`: a projection again from the log, while the store goes on."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Json, Projections
from itemstore.cli.output import say, write_text
from itemstore.cli.terminal_text import escaped_lines
from itemstore.cli.verb import Where, verb


@verb
async def rebuild(
    where: Where,
    projection: Annotated[
        str, typer.Argument(help="current-items, statistics, or one of your own.")
    ] = "current-items",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    json: Json = False,
    projections: Projections = None,
) -> None:
    """Rebuild a projection from the log, while reads and writes go on."""
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.cli.receipt import told
    from itemstore.projections.lease import LeaseLost
    from itemstore.projections.rebuild.errors import RebuildRefused
    from itemstore.projections.rebuild.run import named
    from itemstore.projections.rebuild.run import rebuild as run
    from itemstore.store.projections import named_projections

    async with opened({**where, "projections": projections}) as store:
        with reported(quiet=json) as report:
            try:
                receipt = await run(
                    store.partition,
                    named(projection, named_projections(store.settings.projections)),
                    dry_run=dry_run,
                    report=report,
                    disk=store.disk,
                )
            except Interrupted:
                say(f"Interrupted; {projection} is as it was. Run it again to rebuild it.")
                raise
            except (RebuildRefused, LeaseLost) as error:
                raise Stop(str(error)) from None
        write_text(dumps(receipt.as_dict()) if json else escaped_lines(told(receipt)))
