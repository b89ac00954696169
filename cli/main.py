"""The command put together: a file for each verb, with its options, its help and its work.

What a verb needs is imported when it runs, so --help is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.archive import archive
from itemstore.cli.errors import Stop
from itemstore.cli.export import export
from itemstore.cli.history import history
from itemstore.cli.import_ import import_
from itemstore.cli.info import info
from itemstore.cli.interruption import heed_signals
from itemstore.cli.output import finish_output, in_utf8, prepare_streams, say, write_text
from itemstore.cli.projection import projection
from itemstore.cli.rebuild import rebuild
from itemstore.cli.restore import restore
from itemstore.cli.serve import serve
from itemstore.cli.tail import tail
from itemstore.cli.token import token
from itemstore.cli.verify import verify

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


for name, work in {
    "serve": serve,
    "rebuild": rebuild,
    "verify": verify,
    "tail": tail,
    "history": history,
    "export": export,
    "import": import_,
    "archive": archive,
    "restore": restore,
    "info": info,
}.items():
    app.command(name)(work)
app.add_typer(token, name="token")
app.add_typer(projection, name="projection")


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
        raise SystemExit(stop.code) from None
    except OSError as error:
        say(f"itemstore: {error}.")
        raise SystemExit(1) from None
