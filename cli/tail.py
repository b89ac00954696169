"""`itemstore tail`: the newest events, and those to come."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.options import After, Json
from itemstore.cli.verb import Where, verb


@verb
async def tail(
    where: Where,
    after: After = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events.")] = False,
    json: Json = False,
) -> None:
    """Show the newest events, and with --follow those to come."""
    from itemstore.cli.events import show_newest
    from itemstore.cli.follow import Follower
    from itemstore.cli.opening import checked_settings, opened

    if follow:
        await Follower(checked_settings(where), as_json=json).run(after)
    else:
        async with opened(where) as store:
            await show_newest(store, after=after, as_json=json)
