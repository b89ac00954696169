"""The pages that are made from the code: every command with its options, and every setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo
from typer.main import get_command

from itemstore.cli.main import app
from itemstore.cli.setting_options import default_of, optional_settings
from itemstore.cli.variables import option_of, variable_of
from itemstore.cli.wrong_settings import taken_by
from itemstore.store.setting_fields import SettingFields

COMMANDS = """# Commands

Every command with its arguments and options. This page is made from the code, and says what `--help` says; [Operations](operations.md#commands) has what they do, with examples.
"""

SETTINGS = """# Settings

Every setting: an environment variable, and an option of `itemstore serve`, which wins. A [`.env` file](operations.md#an-env-file) may have the variables. This page is made from the code; [Operations](operations.md#settings) has what they mean for whoever runs the store.

| variable, option | takes | default | what it is |
| --- | --- | --- | --- |
"""


def commands() -> str:
    """Every verb of `itemstore`, as its `--help` has it."""
    return "\n".join([COMMANDS, *_verbs("itemstore", get_command(app))])


def settings() -> str:
    """Every setting, with what it takes and what it is without being set."""
    fields = SettingFields.model_fields.items()
    rows = [
        f"| {_named(name)} | {_cell(taken_by(field))} | {_default(field)} "
        f"| {_cell(field.description or '')} |\n"
        for name, field in fields
    ]
    return SETTINGS + "".join(rows)


_DEFAULT = re.compile(r" \[default: (.*)\]$")
"""How the help of an option that is a setting ends."""

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
    said, default = str(getattr(parameter, "help", None) or ""), ""
    if told := _DEFAULT.search(said):
        said, default = said[: told.start()], told[1]
    elif isinstance(parameter.show_default, str):
        default = parameter.show_default
    elif isinstance(parameter.default, Enum):
        default = parameter.default.value
    elif isinstance(parameter.default, int | str) and not isinstance(parameter.default, bool):
        default = str(parameter.default)
    return f"| {named} | {_cell(default)} | {_cell(said)} |"


def _default(field: FieldInfo) -> str:
    said = default_of(field)
    return _cell(said) if field.default is None else f"`{said}`"


def _named(name: str) -> str:
    """The variable of a setting, and its option where it is one."""
    variable = f"`{variable_of(name)}`"
    return f"{variable} <br> `{option_of(name)}`" if name in optional_settings() else variable


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|").replace("<", "&lt;")
