"""`itemstore rebuild`: a projection again from the log, while the store goes on."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Collections, Json, Projections, SqlUrl
from itemstore.cli.output import say, write_text
from itemstore.cli.terminal_text import escaped_lines
from itemstore.cli.verb import Where, verb


@verb
async def rebuild(  # noqa: PLR0913, PLR0917 - each is an option
    where: Where,
    projection: Annotated[
        str, typer.Argument(help="current-items, statistics, sql, or one of your own.")
    ] = "current-items",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    collection: Collections = None,
    json: Json = False,
    projections: Projections = None,
    sql_url: SqlUrl = None,
) -> None:
    """Rebuild a projection from the log, while reads and writes go on."""
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.cli.receipt import as_dict, told
    from itemstore.engine.errors import LogBroken
    from itemstore.eventlog.lease import LeaseLost
    from itemstore.projections.projection import follows
    from itemstore.projections.rebuild.errors import RebuildRefused
    from itemstore.projections.rebuild.run import named
    from itemstore.projections.rebuild.run import rebuild as run
    from itemstore.store.projections import projections_of

    async with opened({**where, "projections": projections, "sql_url": sql_url}) as store:
        receipts, of = {}, ""
        chosen = store.chosen(collection)
        try:
            one = named(projection, projections_of(store.settings, store.collections))
            with reported(quiet=json) as report:
                for name, each in chosen.items():
                    of = f" of /{name}" if len(chosen) > 1 else ""
                    if follows(one, name):
                        receipts[name] = await run(
                            each.partition, one, dry_run=dry_run, report=report, disk=store.disk
                        )
        except Interrupted:
            say(f"Interrupted; {projection}{of} is as it was. Run it again to rebuild it.")
            raise
        except (RebuildRefused, LeaseLost, LogBroken) as error:
            raise Stop(f"/{name}: {error}" if of else str(error)) from None
        if not receipts:
            message = f"{projection} is for other collections: there is nothing to rebuild."
            raise Stop(message)
        write_text(dumps(as_dict(receipts)) if json else escaped_lines(told(receipts)))
