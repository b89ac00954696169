"""What other commands than `serve` log: warnings, for people, unless it is asked for more."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.forked import command
from tests.logged import lines_of


def run(where: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on a store in a directory."""
    return command([*words, "--data-dir", str(where / "data")], os.environ | environment)


def logged_in(text: str) -> str:
    """What is no sentence, and no progress."""
    return "\n".join(line for line in text.splitlines() if line.startswith("{"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The directory of a store with a token."""
    assert run(tmp_path, "token", "create", "ann").returncode == 0
    return tmp_path


def test_a_command_logs_that_it_began_and_how_it_ended_where_that_is_asked_for(store: Path) -> None:
    """By options or by variables; what it says for people stays beside it."""
    info = {"ITEMSTORE_LOG_FORMAT": "json", "ITEMSTORE_LOG_LEVEL": "info"}
    ended = run(store, "verify", "--log-format", "json", "--log-level", "info")
    begun, done = lines_of(logged_in(ended.stderr))
    assert (begun["event"], begun["command"]) == ("A command has begun", "verify")
    assert (done["event"], done["command"], done["code"]) == ("A command has ended", "verify", 0)
    refused = run(store, "token", "create", "ann", **info)
    assert refused.returncode == 1
    begun, done = lines_of(logged_in(refused.stderr))
    assert (begun["event"], done["event"]) == ("A command has begun", "A command has ended")
    assert done["code"] == 1


def test_without_that_it_logs_nothing_that_it_says_itself(store: Path) -> None:
    """One sentence is enough."""
    for words in (["verify"], ["rebuild"]):
        assert " has begun" not in run(store, *words).stderr
    assert "Revoked ann" in run(store, "token", "revoke", "ann", "--open-store").stderr


def test_the_process_of_a_token_that_is_made_says_so(tmp_path: Path) -> None:
    """With what it is bound to, and not with what opens the store."""
    made = run(
        tmp_path, "token", "create", "ann", "--prefix", "eu/", "--json",
        "--log-format", "json", "--log-level", "info",
    )  # fmt: skip
    secret = made.stdout.partition('"token": "')[2].partition('"')[0].partition(".")[2]
    assert len(secret) > 20
    assert secret not in made.stderr
    told = [
        line for line in lines_of(logged_in(made.stderr)) if line["event"] == "A token was made"
    ]
    assert [(line["token"], line["role"], line["prefixes"]) for line in told] == [
        ("ann", "reader", ["eu/"])
    ]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--log-format", "text"), "--log-format takes auto, console or json, not 'text'."),
        (("--log-level", "loud"), "--log-level takes debug, info, warning or error, not 'loud'."),
    ],
)
def test_a_form_or_a_level_that_is_none_is_refused(
    tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    """With what it takes."""
    refused = run(tmp_path, "info", *option)
    assert refused.returncode == 2
    assert said in refused.stderr
