"""`--help`, which is asked for often and has nothing to wait for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from itemstore.cli.main import app

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


@pytest.mark.parametrize("words", ["", *VERBS])
def test_help_imports_nothing_that_only_the_work_needs(words: str) -> None:
    """It comes in a third of a second, not in a whole one."""
    command = [sys.executable, "-X", "importtime", "-m", "itemstore", *words.split(), "--help"]
    helped = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    imported = {line.rpartition("|")[2].strip() for line in helped.stderr.splitlines()}
    assert "typer" in imported
    assert imported.isdisjoint(SLOW)


@pytest.mark.parametrize("words", VERBS)
def test_every_verb_takes_the_options_that_name_its_store(words: str) -> None:
    """From the one place that adds them; `serve` lists them among all of its settings."""
    options = {each.name for each in VERBS[words].params}
    assert {"redis_url", "data_dir", "namespace", "archive"} <= options
