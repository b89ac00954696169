"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RedisUrl = Annotated[
    str | None,
    typer.Option(
        help="Engine: redis://, rediss://, unix:// or redis+sentinel://. Else the embedded one."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded engine keeps its data.", show_default="itemstore-data"),
]
Namespace = Annotated[
    str | None, typer.Option(help="What all keys begin with, where stores share an engine.")
]
Collections = Annotated[
    list[str] | None,
    typer.Option(
        "--collection", help="Only this collection; may be given again.", show_default="all"
    ),
]
After = Annotated[str | None, typer.Option(help="Only events after this position, or cursor.")]
Projections = Annotated[
    str | None, typer.Option(help="Projections of your own: module:NAME, separated by commas.")
]
Archive = Annotated[
    str | None,
    typer.Option(
        help="Where the log is kept for ever: a directory, s3://, gs:// or az://; or off. "
        "Without it: with the embedded engine, in its data directory.",
    ),
]
SqlUrl = Annotated[
    str | None,
    typer.Option(
        help="Where items are kept for queries: postgresql://, sqlite:///PATH, or off. "
        "Without it: SQLite, in the data directory.",
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        help="Form of the log: console, json; auto: console on a terminal.", show_default="auto"
    ),
]
LogLevel = Annotated[
    str | None,
    typer.Option(help="What is logged: debug, info, warning, error.", show_default="warning"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
