"""Options that are made from the settings, with the help, the default and the variable of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from itemstore.cli.variables import variable_of
from itemstore.store.setting_fields import SettingFields, Takes, Unset, VariableOnly

METAVARS = {int: "<int>", float: "<number>", Path: "<path>"}
"""What stands for a value, by its type; the settings check it, and say it in words."""


def optional_settings() -> list[str]:
    """The names of all settings that are options, in the order of their help."""
    return [
        name
        for name, field in SettingFields.model_fields.items()
        if not any(isinstance(each, VariableOnly) for each in field.metadata)
    ]


def setting_option(name: str, default: str | None = None) -> Any:
    """The option that gives a setting, as Typer reads it from a signature; None: not given.

    `default` is what it comes to where it is not given, if that is not the setting's own.
    """
    field = SettingFields.model_fields[name]
    kind = kind_of(field)
    given = bool if kind is bool else str
    option = typer.Option(
        help=_help(name, field, default or default_of(field)),
        metavar=None if kind is bool else METAVARS.get(kind, "<text>"),
        autocompletion=suggesting(suggestions(field)),
        show_default=False,
    )
    return Annotated[given | None, option]


def kind_of(field: FieldInfo) -> Any:
    """The type of a setting where it is set."""
    kinds = [each for each in get_args(field.annotation) if each is not type(None)]
    return field.annotation if get_origin(field.annotation) is Literal or not kinds else kinds[0]


def suggestions(field: FieldInfo) -> tuple[str, ...]:
    """The values that are offered where a shell completes the option; most settings have none."""
    kind = kind_of(field)
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((each.suggests for each in field.metadata if isinstance(each, Takes)), ())


def default_of(field: FieldInfo) -> str:
    """What a setting that is not set comes to, as it would be written; `none` for nothing."""
    if field.default is not None:
        return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return next((each.words for each in field.metadata if isinstance(each, Unset)), "none")


def _help(name: str, field: FieldInfo, default: str) -> str:
    return f"{field.description}. [env: {variable_of(name)}] [default: {default}]"


def suggesting(values: Sequence[str]) -> Callable[[str], list[str]] | None:
    """What a shell asks for the values that begin with what is typed; None where there are none."""
    if not values:
        return None
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]
