"""What is said of a setting that is wrong: as it was given, with what it says and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from itemstore.cli.setting_options import kind_of
from itemstore.cli.variables import given_as
from itemstore.store.setting_fields import Secret, SettingFields, Takes

NO_PROXY = "forwarded_allow_ips"

LONGEST = 80
"""Characters of a value that are shown."""


def told(error: ValidationError, options: Mapping[str, Any]) -> str:
    """A line for each setting that is wrong."""
    return "\n".join(_line(each["loc"], each["input"], options) for each in error.errors())


def _line(place: tuple[int | str, ...], value: Any, options: Mapping[str, Any]) -> str:
    name = str(place[0])
    field = SettingFields.model_fields[name]
    is_secret = any(isinstance(each, Secret) for each in field.metadata)
    said = "its value" if is_secret and value else repr(str(value)[:LONGEST])
    return f"{given_as(name, options)} takes {taken_by(field)}, not {said}."


def told_of_empty(options: Mapping[str, Any]) -> str | None:
    """The same for options that were given nothing, as by a shell's variable that is not set.

    None where there are none. To believe no proxy is a setting; nothing else is.
    """
    empty = [name for name, text in options.items() if text == "" and name != NO_PROXY]
    lines = (_line((name,), "", options) for name in empty if name in SettingFields.model_fields)
    return "\n".join(lines) or None


def taken_by(field: FieldInfo) -> str:
    """What a setting takes, in words."""
    for each in field.metadata:
        if isinstance(each, Takes):
            return each.words
    kind = kind_of(field)
    if get_origin(kind) is Literal:
        *others, last = get_args(kind)
        return f"{', '.join(others)} or {last}"
    if kind is bool:
        return "true or false"
    noun = {int: "a whole number", float: "a number", Path: "a path"}.get(kind, "a text")
    return " ".join([noun, *_bounds(field)])


def _bounds(field: FieldInfo) -> list[str]:
    """The limits that the field declares."""
    found = {
        name: value
        for each in field.metadata
        for name in ("ge", "gt", "le")
        if (value := getattr(each, name, None)) is not None
    }
    if "ge" in found and "le" in found:
        return [f"from {found['ge']} to {found['le']}"]
    words = {"ge": "of {} or more", "gt": "above {}", "le": "up to {}"}
    return [words[name].format(value) for name, value in found.items()]
