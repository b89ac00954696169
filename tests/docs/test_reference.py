"""Nothing that a user can set, type or be told is missing from the reference."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from itemstore.api.http.problem_types import PROBLEM_TYPES, ProblemType
from itemstore.cli.main import app
from itemstore.cli.setting_options import optional_settings
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.store.settings import Settings
from tests.docs.pages import ROOT

HTTP = (ROOT / "docs/http.md").read_text()
REDIS_CLI = (ROOT / "docs/redis-cli.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
LAYOUT = (ROOT / "docs/layout.md").read_text()

GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands

OPTIONS = optional_settings()

SHARED = {"--redis-url", "--data-dir", "--namespace", "--archive", "--env-file", "--help"}
SHARED |= {"--log-format", "--log-level"}
"""Options of nearly every command, which the page names once for all of them."""


def rows(page: str) -> list[list[str]]:
    """The rows of all tables of a page, cell by cell."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table_with_its_option_and_its_default(name: str) -> None:
    """The variable, the option and the default are those of the code."""
    variable, option = f"`ITEMSTORE_{name.upper()}`", f"`--{name.replace('_', '-')}`"
    [row] = [row for row in rows(OPERATIONS) if row[0] == variable]
    default = Settings.model_fields[name].default
    shown = "none" if default is None else f"`{str(default).lower()}`"
    assert row[1] == (option if name in OPTIONS else "the variable only")
    assert row[2].startswith(shown)
    assert len(row) == len(["variable", "option", "default", "what it means"])


def test_the_table_has_no_setting_that_does_not_exist() -> None:
    """What was taken out of the code is taken out of the page."""
    named = {row[0] for row in rows(OPERATIONS) if row[0].startswith("`ITEMSTORE_")}
    assert named - {"`ITEMSTORE_ENV_FILE`"} == {
        f"`ITEMSTORE_{name.upper()}`" for name in Settings.model_fields
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_every_setting_is_an_option_of_serve(name: str) -> None:
    """A setting can be given in both ways."""
    assert f"--{name.replace('_', '-')}" in options(COMMANDS["serve"])


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "serve"])
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    """In the table of operations."""
    described = [
        row for row in rows(OPERATIONS) if row[0].strip("`").split()[:2] == ["itemstore", name]
    ]
    assert described, f"docs/operations.md does not have `itemstore {name}`"
    text = " ".join(cell for row in described for cell in row)
    assert [option for option in options(COMMANDS[name]) if option not in text] == []


def test_the_tables_have_no_command_that_does_not_exist() -> None:
    """What was taken out of the command is taken out of the pages."""
    named = {
        row[0].strip("`").split()[1] for row in rows(OPERATIONS) if row[0].startswith("`itemstore ")
    }
    assert named == set(COMMANDS)


@pytest.mark.parametrize("kind", PROBLEM_TYPES.values(), ids=lambda kind: kind.slug)
def test_every_problem_is_in_the_table_with_its_status(kind: ProblemType) -> None:
    """The slug and the status are those of the code."""
    [row] = [row for row in rows(HTTP) if row[0] == f"`{kind.slug}`"]
    assert row[1] == str(kind.status)


def test_every_resource_is_in_the_table() -> None:
    """Each path of OpenAPI, and nothing that is none."""
    from itemstore.api.app import create_app  # noqa: PLC0415 - it reads the environment

    paths = set(create_app(Settings()).openapi()["paths"])
    start = HTTP.index("## Resources")
    section = HTTP[start : HTTP.index("\n## ", start)]
    named = {
        path.strip("`") for row in rows(section) for path in row[0].split(", ") if "`/" in path
    }
    pages = {"/docs", "/docs/{file}", "/openapi.json"}
    pages |= {"/explorer", "/explorer/{file}", "/explorer/{folder}/{file}"}
    assert named - pages == paths


NO_KEYS = {"store", "collection", "namespace", "partition", "front", "tag"}
NO_KEYS |= {"prefix", "shadow", "aside", "wrong_histories"}
"""Keys that stand after `items:rebuild:` only, and what names are made of."""


@pytest.mark.parametrize(
    "key",
    [
        *(name for name in vars(Keys) if not name.startswith("_") and name not in NO_KEYS),
        *(f"store.{name}" for name in vars(StoreKeys) if name[0] != "_" and name not in NO_KEYS),
    ],
)
def test_every_key_in_the_engine_is_in_the_table(key: str) -> None:
    """Under the name that `redis-cli` shows, with `<…>` for what varies."""
    attribute = attrgetter(key)(Keys())
    name = attribute("<") if callable(attribute) else attribute
    named = [each for row in rows(REDIS_CLI) for each in row[0].split(", ")]
    assert any(each.startswith(f"`{name}") for each in named), name


def options(command: Any) -> list[str]:
    """The long options of a command and of those in it, without those that all share."""
    inner = command.commands.values() if isinstance(command, TyperGroup) else []
    names = [option.opts[0] for option in command.params if isinstance(option, TyperOption)]
    if command.name != "serve":
        names = [name for name in names if name not in SHARED]
    return names + [name for each in inner for name in options(each)]


@pytest.mark.parametrize(
    "room", ["archive", "projections", "projections/queries", "projections/sql"]
)
def test_each_file_of_a_room_with_many_is_where_the_layout_says_things_are(room: str) -> None:
    """A new one gets its place on the page with the change that makes it."""
    inside = (ROOT / room).rglob("*") if "/" in room else (ROOT / room).iterdir()
    files = [path for path in inside if path.suffix in {".py", ".lua"} and path.stem != "__init__"]
    assert files
    places = [f"(../{path.relative_to(ROOT)})" for path in files]
    assert [place for place in places if place not in LAYOUT] == []
