"""`itemstore info`: the engine, its durability, the sizes."""

from __future__ import annotations

from json import dumps

from itemstore.cli.options import Json
from itemstore.cli.output import write_text
from itemstore.cli.terminal_text import escaped
from itemstore.cli.verb import Where, verb


@verb
async def info(where: Where, json: Json = False) -> None:
    """Show the engine, its durability and the sizes."""
    from itemstore.cli.opening import opened
    from itemstore.store.facts import facts_of

    async with opened(where) as store:
        facts = await facts_of(store)
    if json:
        write_text(dumps(facts))
        return
    for name, value in facts.items():
        write_text(f"{name:<16}{'unknown' if value is None else escaped(str(value))}")
