"""`--help`, which is asked for often and has nothing to wait for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from itemstore.cli.main import app
from itemstore.cli.setting_options import default_of, optional_settings
from itemstore.cli.variables import option_of, variable_of
from itemstore.store.setting_fields import SettingFields

SLOW = ("fastapi", "pydantic_settings", "redis", "uvicorn")
"""Libraries that take a verb's work, and not its help."""


def verbs() -> Iterator[tuple[str, TyperCommand]]:
    """What can be typed after `itemstore`, with the command that runs then."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else {"": command}
        for second, each in inner.items():
            assert isinstance(each, TyperCommand)
            yield f"{name} {second}".strip(), each


VERBS = dict(verbs())
GROUPS = ["", "token", "projection"]
NARROW = {"COLUMNS": "30"}


def help_of(words: str, *, asked: str = "--help", **environment: str) -> str:
    """What the help of a verb or a group says."""
    helped = CliRunner().invoke(app, [*words.split(), asked], env=environment)
    assert (helped.exit_code, helped.stderr) == (0, "")
    return helped.stdout


@pytest.mark.parametrize("words", ["", *VERBS])
def test_help_and_completion_import_nothing_that_only_the_work_needs(words: str) -> None:
    """It comes in a third of a second, not in a whole one."""
    completing = {
        "_ITEMSTORE_COMPLETE": "complete_bash",
        "COMP_WORDS": f"itemstore {words} --",
        "COMP_CWORD": str(1 + len(words.split())),
    }
    for given, environment in ([*words.split(), "-h"], {}), ([], completing):
        command = [sys.executable, "-X", "importtime", "-m", "itemstore", *given]
        helped = subprocess.run(
            command,
            capture_output=True, text=True, check=True, timeout=60, env=os.environ | environment,
        )  # fmt: skip
        imported = {line.rpartition("|")[2].strip() for line in helped.stderr.splitlines()}
        assert "--help" in helped.stdout
        assert "typer" in imported
        assert imported.isdisjoint(SLOW)


@pytest.mark.parametrize("words", GROUPS)
def test_a_list_of_verbs_says_whole_sentences(words: str) -> None:
    """In a terminal of 80 columns none is cut."""
    listed = help_of(words, COLUMNS="80").rpartition("Commands:\n")[2].splitlines()
    assert listed
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("words", VERBS)
def test_every_verb_takes_the_options_that_name_its_store(words: str) -> None:
    """From the one place that adds them; `serve` lists them among all of its settings."""
    options = {each.name for each in VERBS[words].params}
    assert {"redis_url", "data_dir", "namespace", "archive"} <= options


@pytest.mark.parametrize("words", [*GROUPS, *VERBS])
def test_h_is_the_same_as_help(words: str) -> None:
    """In whichever directory, on whichever terminal; and the name is that of the command."""
    shown = help_of(words, asked="-h")
    assert shown == help_of(words)
    assert shown.startswith(" ".join(["Usage: itemstore", *words.split(), "["]))
    assert "-h, --help" in shown


@pytest.mark.parametrize("words", VERBS)
def test_help_shows_the_variable_and_the_default_of_every_setting_whole(words: str) -> None:
    """Also where the terminal is narrow."""
    settings = [each for each in VERBS[words].params if each.name in SettingFields.model_fields]
    assert settings
    shown = " ".join(help_of(words, **NARROW).split())
    for each in settings:
        assert each.name is not None
        default = default_of(SettingFields.model_fields[each.name])
        if each.name == "log_level" and words != "serve":
            default = "warning"
        assert f"{option_of(each.name)} " in shown
        assert f"[env: {variable_of(each.name)}]" in shown
        assert f"[default: {default}]" in shown
    assert "[env: ITEMSTORE_ENV_FILE]" in shown


@pytest.mark.parametrize("words", VERBS)
def test_every_option_says_what_it_is_for_and_what_it_takes(words: str) -> None:
    """And its default, where it has one that is no setting's."""
    for each in VERBS[words].params:
        assert isinstance(each, TyperArgument | TyperOption)
        assert each.help
        if isinstance(each, TyperOption) and not each.is_flag:
            assert each.metavar or each.type_descriptor.is_choice, each.name
        if each.default not in {None, False}:
            assert each.show_default


def test_serve_has_an_option_for_every_setting() -> None:
    """In the order of their declaration."""
    options = [each.name for each in VERBS["serve"].params]
    assert options == [*optional_settings(), "env_file"]


def test_without_a_verb_the_help_is_shown_and_the_exit_code_is_that_of_a_mistake() -> None:
    """On stderr: nothing was done that had an output."""
    for words in (each.split() for each in GROUPS):
        shown = subprocess.run(
            [sys.executable, "-m", "itemstore", *words],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (shown.returncode, shown.stdout) == (2, "")
        assert shown.stderr.startswith(" ".join(["Usage: itemstore", *words]))


@pytest.mark.parametrize("asked", ["--version", "-V"])
def test_the_version_is_shown(asked: str) -> None:
    """That of the package that is installed."""
    shown = CliRunner().invoke(app, [asked])
    assert (shown.exit_code, shown.stdout) == (0, f"itemstore {version('itemstore')}\n")
