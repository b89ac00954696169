"""`itemstore history`: one item's events."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.options import Collections, Json
from itemstore.cli.verb import Where, verb


@verb
async def history(
    where: Where,
    item: Annotated[str, typer.Argument(help="The item's id.")],
    json: Json = False,
    collection: Collections = None,
) -> None:
    """Show the events of one item, or of those of the same id in several collections."""
    from itemstore.cli.events import View
    from itemstore.cli.opening import opened
    from itemstore.domain.positions import START
    from itemstore.eventlog.reader import Within

    async with opened(where) as store:
        if any("\ud800" <= sign <= "\udfff" for sign in item):
            message = f"An item's id is UTF-8; {item!r} was typed as something else."
            raise Stop(message, MISUSED)
        view = View.of(store, collection, as_json=json)
        position, is_end, is_known = START, False, False
        while not is_end:
            part = await view.feed.reader.part_after(position, Within(item=item))
            position, is_end = part.position, part.is_end
            is_known = is_known or part.looked > 0
            if part.entries:
                view.show(part.events())
    if not is_known:
        message = f"There is no item {item!r}, and never was."
        raise Stop(message)
