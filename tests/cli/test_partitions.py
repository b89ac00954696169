"""The commands on a store of several partitions: its number, and what is said of another."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from itemstore.store.opening import begin, open_store
from itemstore.store.settings import Settings
from tests.cli.forked import command

Run = Callable[..., "subprocess.CompletedProcess[str]"]

VERBS = [
    ["serve", "--port", "0"],
    ["info"],
    ["verify"],
    ["rebuild"],
    ["tail"],
    ["history", "fox"],
    ["export"],
    ["import"],
    ["archive"],
    ["token", "list"],
    ["token", "create", "ann", "--role", "reader"],
]


@pytest.fixture
def four(tmp_path: Path) -> Run:
    """Runs the command on a new store of four partitions."""

    async def make() -> None:
        given = Settings(data_dir=tmp_path / "data", partitions=4)
        async with open_store(given, new=True) as store:
            await begin(store)

    asyncio.run(make())

    def run(*words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        where = {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
        return command(words, os.environ | where | more, stdin)

    return run


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_each_verb_says_in_a_line_that_the_store_has_another_number(
    four: Run, verb: list[str]
) -> None:
    """And what to do; it does nothing else."""
    result = four(*verb, ITEMSTORE_PARTITIONS="8")

    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert "The store has 4 partitions, and ITEMSTORE_PARTITIONS says 8." in line
    assert "docs/cluster.md" in line


@pytest.mark.parametrize("first", ["1", "4"])
def test_who_makes_the_first_token_says_how_many_partitions(tmp_path: Path, first: str) -> None:
    """Another number would be a store without that token, which anybody may write to."""
    where = os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
    made = command(
        ["token", "create", "ann", "--role", "admin"], where | {"ITEMSTORE_PARTITIONS": first}, ""
    )
    assert made.returncode == 0

    assert "ann" in command(["token", "list"], where, "").stdout
    refused = command(["serve", "--port", "0", "--partitions", "2"], where, "")
    assert refused.returncode == 1
    assert f"The store has {first} partition" in refused.stderr
