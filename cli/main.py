"""The command put together: a file for each verb, with its options, its help and its work.

What a verb needs is imported when it runs, so --help is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer
from typer import TyperException

from itemstore.cli.archive import archive
from itemstore.cli.errors import Stop
from itemstore.cli.export import export
from itemstore.cli.history import history
from itemstore.cli.import_ import import_
from itemstore.cli.info import info
from itemstore.cli.interruption import heed_signals
from itemstore.cli.misuse import Verb, told
from itemstore.cli.output import finish_output, in_utf8, prepare_streams, say, write_text
from itemstore.cli.projection import projection
from itemstore.cli.rebuild import rebuild
from itemstore.cli.restore import restore
from itemstore.cli.serve import serve
from itemstore.cli.tail import tail
from itemstore.cli.token import token
from itemstore.cli.verify import verify

NAME = "itemstore"
"""What the command is called in its messages, also where it runs as `python -m itemstore`."""

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text goes to any terminal, and narrow ones lose no word of it
    context_settings={"help_option_names": ["-h", "--help"]},
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
            "--version",
            "-V",
            callback=_show_version,
            is_eager=True,
            help="Show the version.",
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
    app.command(name, cls=Verb)(work)
app.add_typer(token, name="token")
app.add_typer(projection, name="projection")


def main() -> None:
    """The entry point of the `itemstore` command."""
    in_utf8()
    prepare_streams()
    heed_signals()
    try:
        try:
            code = app(prog_name=NAME, standalone_mode=False)
        finally:
            finish_output()
    except TyperException as mistake:
        say(told(mistake, NAME))
        raise SystemExit(mistake.exit_code) from None
    except Stop as stop:
        say_all(str(stop))
        raise SystemExit(stop.code) from None
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        say_all(f"{named}{error.strerror or error}.")
        raise SystemExit(1) from None
    raise SystemExit(code)


def say_all(text: str) -> None:
    """Says each line of the text, after the name of the command."""
    for line in text.splitlines():
        say(f"{NAME}: {line}")
