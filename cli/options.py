"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EnvFile = Annotated[
    Path | None,
    typer.Option(
        help="File of variables, which the environment and options win over. "
        "[env: ITEMSTORE_ENV_FILE] [default: .env, if there is one]",
        metavar="<path>",
        show_default=False,
    ),
]
Collections = Annotated[
    list[str] | None,
    typer.Option(
        "--collection",
        help="Only this collection; may be given again.",
        metavar="<name>",
        show_default="all",
    ),
]
After = Annotated[
    str | None,
    typer.Option(help="Only events after this position, or cursor.", metavar="<position>"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
