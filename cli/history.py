"""`itemstore history`: one item's events."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.options import Collections, Json, Lines, Types
from itemstore.cli.verb import Where, verb


@verb
async def history(  # noqa: PLR0913, PLR0917 - each is an option
    where: Where,
    item: Annotated[str, typer.Argument(help="The item's id.")],
    lines: Lines = None,
    types: Types = None,
    collection: Collections = None,
    json: Json = False,
) -> None:
    """Show the events of one item. Where several collections have its id, of all of them."""
    from itemstore.cli.events import View
    from itemstore.cli.opening import opened
    from itemstore.cli.selected import Selected

    selected = Selected.of(lines, item, [each.value for each in types or ()])
    async with opened(where) as store:
        view = View.of(store, collection, as_json=json, selected=selected)
        is_known = await view.show_of_item(item)
    if not is_known:
        message = f"There is no item {item!r}, and never was."
        raise Stop(message)
