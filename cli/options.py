"""Options that several verbs share."""

from __future__ import annotations

import os
from enum import Enum
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


def _named_collections(incomplete: str) -> list[str]:
    """The collections that the environment names; no store is opened to complete a word."""
    named = os.environ.get("ITEMSTORE_COLLECTIONS", "").split(",")
    names = [each.partition("=")[0].strip() for each in named]
    return [name for name in names if name and name.startswith(incomplete)]


Collections = Annotated[
    list[str] | None,
    typer.Option(
        "--collection",
        help="Only this collection; may be given again. [default: all]",
        autocompletion=_named_collections,
        metavar="<name>",
    ),
]
After = Annotated[
    str | None,
    typer.Option(help="Only events after this position, or cursor.", metavar="<position>"),
]


class EventType(Enum):
    """The types of events in domain.events, whose import would make --help slow.

    A test compares them.
    """

    ItemCreated = "ItemCreated"
    ItemUpdated = "ItemUpdated"
    ItemDeleted = "ItemDeleted"


Types = Annotated[
    list[EventType] | None,
    typer.Option(
        "--type",
        help="Only events of this type, such as ItemDeleted; may be given again.",
        metavar="<type>",
    ),
]


def _count(text: str | int) -> int:
    """A number of events. Raises ValueError, which says what it takes."""
    try:
        count = int(text)
    except ValueError:
        count = -1
    if not 0 <= count <= MOST_LINES:
        message = f"takes a whole number from 0 to {MOST_LINES}, not {str(text)!r}"
        raise ValueError(message)
    return count


MOST_LINES = 2**31 - 1

Lines = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--lines",
        help="At most so many events, the newest.",
        parser=_count,
        metavar="<number>",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
