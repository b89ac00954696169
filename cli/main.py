"""The command put together: a file for each verb, with its options, its help and its work.

What a verb needs is imported when it runs, so --help is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.export import export
from itemstore.cli.history import history
from itemstore.cli.import_ import import_
from itemstore.cli.info import info
from itemstore.cli.interruption import heed_signals
from itemstore.cli.options import Json
from itemstore.cli.output import finish_output, in_utf8, prepare_streams, say, write_text
from itemstore.cli.serve import serve
from itemstore.cli.tail import tail
from itemstore.cli.token import token
from itemstore.cli.verb import Where, verb

app = typer.Typer(
    name="itemstore",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        write_text(f"itemstore {version('itemstore')}")
        raise typer.Exit


@app.callback()
def itemstore(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """An event-sourced item store with a REST API."""


@verb
async def rebuild(
    where: Where,
    projection: Annotated[
        str, typer.Argument(help="current-items, statistics, or one of your own.")
    ] = "current-items",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a projection again from the log, while reads and writes go on."""
    from itemstore.cli.connection import opened
    from itemstore.cli.receipt import rebuild_projection

    async with opened(where) as store:
        await rebuild_projection(store, projection, dry_run=dry_run, as_json=json)


@verb
async def verify(where: Where, json: Json = False) -> None:
    """Compare the log with all projections; exit code 1 on any difference."""
    from itemstore.cli.connection import opened
    from itemstore.cli.verdict import verify_store

    async with opened(where) as store:
        clean = await verify_store(store, as_json=json)
    raise typer.Exit(0 if clean else 1)


for name, work in {
    "serve": serve,
    "rebuild": rebuild,
    "verify": verify,
    "tail": tail,
    "history": history,
    "export": export,
    "import": import_,
    "info": info,
}.items():
    app.command(name)(work)
app.add_typer(token, name="token")


def main() -> None:
    """The entry point of the `itemstore` command."""
    in_utf8()
    prepare_streams()
    heed_signals()
    try:
        try:
            app(prog_name="itemstore")  # also where it runs as `python -m itemstore`
        finally:
            finish_output()
    except Stop as stop:
        say(f"itemstore: {stop}")
        raise SystemExit(1) from None
    except OSError as error:
        say(f"itemstore: {error}.")
        raise SystemExit(1) from None
