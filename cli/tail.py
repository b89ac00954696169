"""`itemstore tail`: the newest events, and those to come."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.options import After, Collections, Json
from itemstore.cli.verb import Where, verb


@verb
async def tail(
    where: Where,
    after: After = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events.")] = False,
    json: Json = False,
    collection: Collections = None,
) -> None:
    """Show the newest events, and with --follow those to come."""
    from itemstore.cli.events import View
    from itemstore.cli.follow import Follower
    from itemstore.cli.opening import checked_settings, opened

    if follow:
        await Follower(checked_settings(where), collection, as_json=json).run(after)
    else:
        async with opened(where) as store:
            await View.of(store, collection, as_json=json).show_newest(after)
