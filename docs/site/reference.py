"""The pages that are made from the code: every command with its options, and every setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from annotated_types import BaseMetadata
from pydantic.fields import FieldInfo
from typer.main import get_command

from itemstore.cli.main import app
from itemstore.store.settings import PREFIX, Settings

COMMANDS = """# Commands

Every command with its arguments and options. This page is made from the code, and says what `--help` says; [Operations](operations.md#commands) has what they do, with examples.
"""

SETTINGS = """# Settings

Every setting: an environment variable, and an option of `itemstore serve`, which wins. This page is made from the code; [Operations](operations.md#settings) has what they mean for whoever runs the store.

| variable, option | takes | default | what it is |
| --- | --- | --- | --- |
"""


def commands() -> str:
    """Every verb of `itemstore`, as its `--help` has it."""
    return "\n".join([COMMANDS, *_verbs("itemstore", get_command(app))])


def settings() -> str:
    """Every setting, with what it takes and what it is without being set."""
    rows = [
        f"| `{PREFIX}{name.upper()}` <br> `--{name.replace('_', '-')}` | {_takes(field)} "
        f"| {_shown(field.default)} | {_cell(field.description or '')} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return SETTINGS + "".join(rows)


REFERENCE: dict[str, Callable[[], str]] = {"commands.md": commands, "settings.md": settings}
"""The pages, by their names in the site, and how each is made."""


def _verbs(called: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if called != "itemstore":
        yield from (f"## {called}", "", " ".join((command.help or "").split()), "")
    yield from (f"```\n{_usage(called, command)}\n```", "")
    rows = [_row(each) for each in command.params if not getattr(each, "hidden", False)]
    if rows:
        yield from ("| | default | |", "| --- | --- | --- |", *rows, "")
    for name, each in inner.items():
        if not each.hidden:
            yield from _verbs(f"{called} {name}", each)


def _usage(called: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    shown = [_argument(each) if each.required else f"[{_argument(each)}]" for each in arguments]
    inner = ["COMMAND"] if hasattr(command, "commands") else []
    return " ".join([called, *inner, "[OPTIONS]", *shown])


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        named = f"`{_argument(parameter)}`"
    else:
        named = ", ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts])
    default = getattr(parameter, "show_default", None)
    if not isinstance(default, str):
        default = parameter.default if isinstance(parameter.default, int | float | str) else ""
    default = "" if default is False else default
    shown = f"`{default}`" if default != "" else ""
    return f"| {named} | {shown} | {_cell(getattr(parameter, 'help', None) or '')} |"


def _takes(field: FieldInfo) -> str:
    """What a setting takes, in words."""
    annotation = str(field.annotation)
    kinds = {"bool": "yes or no", "int": "a number", "float": "a number", "Path": "a path"}
    kind = next((words for name, words in kinds.items() if name in annotation), "a text")
    bounds = [
        f"{words} {getattr(rule, name)}"
        for rule in field.metadata
        if isinstance(rule, BaseMetadata)
        for name, words in {"ge": "from", "gt": "more than", "le": "to", "lt": "less than"}.items()
        if hasattr(rule, name)
    ]
    return " ".join([kind, *bounds])


def _shown(default: Any) -> str:
    return "none" if default is None else f"`{str(default).lower()}`"


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|").replace("<", "&lt;")
