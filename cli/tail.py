"""`itemstore tail`: the newest events, and those to come."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.options import After, Collections, Json, Lines, Types
from itemstore.cli.verb import Where, verb


@verb
async def tail(  # noqa: PLR0913, PLR0917 - each is an option
    where: Where,
    lines: Lines = None,
    after: After = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events.")] = False,
    item: Annotated[
        str | None, typer.Option(help="Only events of the item with this id.", metavar="<id>")
    ] = None,
    types: Types = None,
    collection: Collections = None,
    json: Json = False,
) -> None:
    """Show the newest events, and with --follow those to come.

    Without -n it is the last ten, or with --after all that came after that.
    """
    from itemstore.cli.events import View
    from itemstore.cli.follow import Follower
    from itemstore.cli.opening import checked_settings, opened
    from itemstore.cli.selected import Selected
    from itemstore.store.store import Store

    selected = Selected.of(lines, item, [each.value for each in types or ()])

    def view(store: Store) -> View:
        return View.of(store, collection, as_json=json, selected=selected)

    if follow:
        await Follower(checked_settings(where), view).run(after)
    else:
        async with opened(where) as store:
            await view(store).show_once(after)
