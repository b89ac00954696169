"""The verbs and their options. What a verb needs is imported when it runs, so --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="itemstore",
    help="An event-sourced item store with a REST API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def itemstore() -> None:
    """Keep serve a verb although it is the only one."""


@app.command()
def serve(
    context: typer.Context,
    redis_url: Annotated[
        str | None,
        typer.Option(help="Engine: redis://, rediss:// or unix://. Without it: the embedded one."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the embedded engine keeps its data.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Number of API processes.")] = None,
    namespace: Annotated[
        str | None, typer.Option(help="What all keys of the store begin with.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model of an item: module:Model, or any.")
    ] = None,
    max_body: Annotated[int | None, typer.Option(help="Largest request body, in bytes.")] = None,
    max_waiting: Annotated[
        int | None, typer.Option(help="Requests that may wait for the engine before 503.")
    ] = None,
    require_conditions: Annotated[
        bool | None,
        typer.Option(help="Answer 428 to a write of an existing item without a condition."),
    ] = None,
) -> None:
    """Run the API, and the embedded engine where no other is named.

    Every option is also an environment variable: --redis-url is ITEMSTORE_REDIS_URL.
    """
    from cli.serve import serve as run_server  # noqa: PLC0415 - see the module's docstring

    run_server({name: value for name, value in context.params.items() if value is not None})


def main() -> None:
    """The entry point of the `itemstore` command."""
    app()
