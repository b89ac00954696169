"""`itemstore rebuild`: a projection again from the log, while the store goes on."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Collections, Json
from itemstore.cli.output import write_text
from itemstore.cli.setting_options import suggesting
from itemstore.cli.verb import Where, verb_with
from itemstore.logs.terminal_text import escaped_lines

BUILT_IN = ("current-items", "statistics", "sql")
"""The projections that every store has; a test compares them."""


@verb_with("projections", "sql_url", tells_interruption=True)
async def rebuild(  # noqa: PLR0913, PLR0917 - each is an option
    where: Where,
    projection: Annotated[
        str,
        typer.Argument(
            help="current-items, statistics, sql, or one of your own.",
            autocompletion=suggesting(BUILT_IN),
        ),
    ] = "current-items",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Of a projection that hands events to others: again those after this position, "
            "cursor or time; 0-0 for all.",
            metavar="<position>",
        ),
    ] = None,
    collection: Collections = None,
    json: Json = False,
) -> None:
    """Rebuild a projection from the log. Reads and writes go on meanwhile."""
    from itemstore.cli.events import place_of
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.cli.receipts import told
    from itemstore.store.projections import projections_of
    from itemstore.store.rebuild import NotRebuilt, Rebuilding, as_dict

    async with opened(where) as store:
        known = projections_of(store.settings, store.collections)
        after = None if from_ is None else place_of(from_, len(store.sections))
        rebuilding = Rebuilding(store, known, projection, collection, dry_run=dry_run, after=after)
        try:
            with reported(quiet=json) as report:
                receipts = await rebuilding.run(report)
        except Interrupted as interruption:
            of = rebuilding.at_work and f" of {rebuilding.at_work},"
            left = f"{projection}{of} is as it was. Run it again to rebuild it."
            interruption.tell(f"Interrupted; {left}")
            raise
        except NotRebuilt as error:
            raise Stop(str(error)) from None
        write_text(dumps(as_dict(receipts)) if json else escaped_lines(told(receipts)))
