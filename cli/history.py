"""`itemstore history`: one item's events."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.options import Json
from itemstore.cli.verb import Where, verb


@verb
async def history(
    where: Where,
    item: Annotated[str, typer.Argument(help="The item's id.")],
    json: Json = False,
) -> None:
    """Show one item's events."""
    from itemstore.cli.events import PAGE, show
    from itemstore.cli.opening import opened

    async with opened(where) as store:
        if any("\ud800" <= sign <= "\udfff" for sign in item):
            message = f"An item's id is UTF-8; {item!r} was typed as something else."
            raise Stop(message)
        version = 0
        while recorded := await store.log.reader.history(item, version, PAGE):
            version = recorded[-1].version
            show(recorded, as_json=json)
    if version == 0:
        message = f"There is no item {item!r}, and never was."
        raise Stop(message)
