"""`itemstore projection`: events that a projection of one's own has set aside, and going on."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.misuse import Verb
from itemstore.cli.options import Json
from itemstore.cli.output import say, write_text
from itemstore.cli.verb import Where, verb
from itemstore.logs.terminal_text import escaped

if TYPE_CHECKING:
    from itemstore.eventlog.partition import Partition
    from itemstore.store.store import Store

projection = typer.Typer(
    help="See what a projection of your own has set aside. Try it again, or have it go on.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The projection's name.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of events that are set aside.")]
All = Annotated[bool, typer.Option("--all", help="All that are set aside.")]


@projection.command("dead-letters", cls=Verb)
@verb
async def dead_letters(where: Where, name: Name, json: Json = False) -> None:
    """Show the events that the projection has set aside, and why."""
    from itemstore.cli.opening import opened
    from itemstore.projections.own.dead_letters import dead_letters as read

    async with opened(where) as store:
        letters = await read(await _partitions(store, name), name)
    if json:
        write_text(dumps([each.as_dict() for each in letters]))
        return
    for each in letters:
        event = f"{each.id}  {each.type} {each.collection}/{each.item} version {each.version}"
        again = "; it is tried again" if each.again else ""
        write_text(escaped(f"{event}  {each.time}: {each.reason}{again}"))


@projection.command("retry", cls=Verb)
@verb
async def retry(
    where: Where, name: Name, ids: Ids = None, all_: All = False, json: Json = False
) -> None:
    """Have events that are set aside tried again. Once each, by the server that follows the log."""
    from itemstore.cli.opening import opened
    from itemstore.projections.own.dead_letters import retry as mark

    wanted = _wanted(ids, all_)
    async with opened(where) as store:
        done = await mark(await _partitions(store, name), name, wanted)
    _tell(done, wanted, json=json, does="tried again within seconds, while a server runs")


@projection.command("drop", cls=Verb)
@verb
async def drop(
    where: Where, name: Name, ids: Ids = None, all_: All = False, json: Json = False
) -> None:
    """Forget events that are set aside. They stay in the log, and are not tried again."""
    from itemstore.cli.opening import opened
    from itemstore.projections.own.dead_letters import drop as forget

    wanted = _wanted(ids, all_)
    async with opened(where) as store:
        done = await forget(await _partitions(store, name), name, wanted)
    _tell(done, wanted, json=json, does="dropped")


@projection.command("resume", cls=Verb)
@verb
async def resume(where: Where, name: Name) -> None:
    """Have a projection that has stopped, or waits, try at once."""
    from itemstore.cli.opening import opened
    from itemstore.projections.own.dead_letters import resume as go_on

    async with opened(where) as store:
        has_waited = await go_on(await _partitions(store, name), name)
    say(f"{name} goes on within seconds." if has_waited else f"{name} did not wait for anything.")


async def _partitions(store: Store, name: str) -> Sequence[Partition]:
    from itemstore.store.own_projections import NothingHandled, partitions_handled

    try:
        return await partitions_handled(store, name)
    except NothingHandled as error:
        raise Stop(str(error)) from None


def _wanted(ids: Sequence[str] | None, all_: bool) -> Sequence[str] | None:
    """The ids of those that are meant, None for all. Raises Stop."""
    if bool(ids) is all_:
        message = "Name the events by their ids, or say --all."
        raise Stop(message, MISUSED)
    return ids or None


def _tell(done: Sequence[str], wanted: Sequence[str] | None, *, json: bool, does: str) -> None:
    """Says what was done. Raises Stop where an event is named that is not set aside."""
    if json:
        write_text(dumps(list(done)))
    else:
        say(f"{len(done)} {'event is' if len(done) == 1 else 'events are'} {does}.")
    if missing := sorted({*(wanted or ())} - {*done}):
        message = f"Not set aside: {', '.join(missing)}."
        raise Stop(message)
