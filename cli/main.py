"""The verbs and their options. What a verb needs is imported when it runs, so --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import heed_signals
from itemstore.cli.options import DataDir, Json, Namespace, RedisUrl, RoleName
from itemstore.cli.output import finish_output, in_utf8, prepare_streams, say, write_text

app = typer.Typer(
    name="itemstore",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

After = Annotated[str | None, typer.Option(help="Only events after this position.")]


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


@app.command()
def serve(
    context: typer.Context,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0: any free one.", show_default="8000")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of API processes.", show_default="1")
    ] = None,
    namespace: Namespace = None,
    durability: Annotated[
        str | None,
        typer.Option(
            help="What a write waits for: engine, fsync or replicas:<number>.",
            show_default="engine",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model of an item: module:Model, or any.")
    ] = None,
    max_body: Annotated[
        int | None, typer.Option(help="Largest request body, in bytes.", show_default="1048576")
    ] = None,
    max_waiting: Annotated[
        int | None, typer.Option(help="Requests that may wait before 503.", show_default="500")
    ] = None,
    max_connections: Annotated[
        int | None, typer.Option(help="Connections of clients at once.", show_default="10000")
    ] = None,
    max_streams: Annotated[
        int | None,
        typer.Option(help="Feeds, JSON lines and long polls at once.", show_default="1000"),
    ] = None,
    max_unsent: Annotated[
        int | None,
        typer.Option(
            help="Bytes of answers that wait for their clients.", show_default="268435456"
        ),
    ] = None,
    client_seconds: Annotated[
        int | None,
        typer.Option(
            help="Seconds that a client may hold up its request, or take no answer.",
            show_default="30",
        ),
    ] = None,
    insecure_no_auth: Annotated[
        bool | None,
        typer.Option(
            "--insecure-no-auth",
            help="Serve other addresses than loopback although the store has no token.",
        ),
    ] = None,
    cors_origins: Annotated[
        str | None,
        typer.Option(help="Origins whose scripts may use the API, with commas between; or *."),
    ] = None,
    idempotency_seconds: Annotated[
        int | None,
        typer.Option(
            help="Seconds for which the outcome of an Idempotency-Key is kept.",
            show_default="86400",
        ),
    ] = None,
    require_conditions: Annotated[
        bool | None,
        typer.Option(help="Answer 428 to a write of an existing item without a condition."),
    ] = None,
) -> None:
    """Run the API, and the embedded engine where no other is named.

    Every option is also an environment variable: --redis-url is ITEMSTORE_REDIS_URL.
    """
    from itemstore.cli.serve import serve as run_server

    run_server(_given(context))


@app.command()
def rebuild(
    context: typer.Context,
    projection: Annotated[
        str, typer.Argument(help="current-items, statistics, or one of your own.")
    ] = "current-items",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Make a projection again from the log, while reads and writes go on."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.rebuild import rebuild_projection

    run_connected(
        _engine(context),
        lambda store: rebuild_projection(store, projection, dry_run=dry_run, as_json=json),
    )


@app.command()
def verify(
    context: typer.Context,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Compare the log with all projections; exit code 1 on any difference."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.verify import verify_store

    clean = run_connected(_engine(context), lambda store: verify_store(store, as_json=json))
    raise typer.Exit(0 if clean else 1)


@app.command()
def tail(
    context: typer.Context,
    after: After = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events.")] = False,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Show the newest events, and with --follow those to come."""
    if follow:
        from itemstore.cli.follow import follow as show_events

        show_events(_engine(context), after=after, as_json=json)
        return
    from itemstore.cli.connection import run_connected
    from itemstore.cli.events import tail as show_tail

    run_connected(_engine(context), lambda store: show_tail(store, after=after, as_json=json))


@app.command()
def history(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="The item's id.")],
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Show one item's events."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.events import history as show_history

    run_connected(_engine(context), lambda store: show_history(store, item, as_json=json))


@app.command()
def export(
    context: typer.Context,
    after: After = None,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Write the log to stdout, one CloudEvents object a line."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.events import export as export_log

    run_connected(_engine(context), lambda store: export_log(store, after=after))


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; without it, or with -: stdin.")
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Into a log that has events, under new positions.")
    ] = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Read events, one CloudEvents object a line, into an empty log."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.imports import import_file

    path = None if file == Path("-") else file
    count = run_connected(
        _engine(context), lambda store: import_file(store, path, append=append), new=True
    )
    say(f"{count} {'event' if count == 1 else 'events'} imported")


@app.command()
def info(
    context: typer.Context,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Show the engine, its durability and the sizes."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.info import info as show_info

    run_connected(_engine(context), lambda store: show_info(store, as_json=json))


token_app = typer.Typer(help="Make, list and revoke bearer tokens.", no_args_is_help=True)
app.add_typer(token_app, name="token")


@token_app.command("create")
def token_create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Who will use it: the actor in events.")],
    role: Annotated[RoleName, typer.Option(help="What it allows.")] = RoleName.reader,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Make a token and print it. From the first one on, every request wants one."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.token import create_token

    run_connected(
        _engine(context),
        lambda store: create_token(store, name, role.value, as_json=json),
        new=True,
    )


@token_app.command("list")
def token_list(
    context: typer.Context,
    json: Json = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Show the names and roles of all tokens."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.token import list_tokens

    run_connected(_engine(context), lambda store: list_tokens(store, as_json=json))


@token_app.command("revoke")
def token_revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The token's name.")],
    open_store: Annotated[
        bool, typer.Option("--open-store", help="Also the only one: then nobody needs a token.")
    ] = False,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    namespace: Namespace = None,
) -> None:
    """Take a token back."""
    from itemstore.cli.connection import run_connected
    from itemstore.cli.token import revoke_token

    run_connected(_engine(context), lambda store: revoke_token(store, name, opens_store=open_store))


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


def _given(context: typer.Context) -> dict[str, Any]:
    return {name: value for name, value in context.params.items() if value is not None}


def _engine(context: typer.Context) -> dict[str, Any]:
    given = _given(context)
    return {name: given[name] for name in ("redis_url", "data_dir", "namespace") if name in given}
