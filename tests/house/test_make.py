"""The Makefile, run in a copy of the house with a Python that installs nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Passes for a Python of any version; a venv of it has this script as its own Python again.
PYTHON = """#!/bin/sh
echo "$@" >>"$LOG"
case "$*" in
    *"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && exit "${VENV_EXIT:-0}" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class House:
    """A directory with the Makefile, and a PATH whose only Python is the one that pretends."""

    directory: Path

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs make, without what an outer make or a person has set."""
        return subprocess.run(
            ["make", *words],
            cwd=self.directory,
            env={
                "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
                "LOG": str(self.directory / "log"),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def installs(self) -> list[str]:
        """What pip was asked for, oldest first."""
        lines = (self.directory / "log").read_text().splitlines()
        return [line.partition("--editable ")[2] for line in lines if "pip install" in line]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house in which nothing is installed yet."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "bin" / "python3.14"  # the first name that the Makefile tries
    python.parent.mkdir()
    python.write_text(PYTHON)
    python.chmod(0o700)
    return House(tmp_path)


def test_help_is_the_default_and_lists_every_target(house: House) -> None:
    """A newcomer types `make`."""
    text = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    shown = house.make()
    assert shown.returncode == 0, shown.stderr
    assert re.findall(r"^  make (\w+) +\S", shown.stdout, re.MULTILINE) == phony.split()
    assert set(phony.split()) >= {"help", "serve", "test", "check", "bench"}


def test_an_install_happens_once_and_again_when_pyproject_changes(house: House) -> None:
    """So the second `make serve` starts at once."""
    for _ in range(2):
        assert house.make(".venv/serve").returncode == 0
    assert house.installs == ["."]

    newer = (house.directory / ".venv/serve").stat().st_mtime + 10
    os.utime(house.directory / "pyproject.toml", (newer, newer))
    assert house.make(".venv/serve").returncode == 0
    assert house.installs == [".", "."]


def test_the_test_install_is_enough_for_serving(house: House) -> None:
    """Where the test tools are installed there is no second install."""
    for target in (".venv/test", ".venv/serve"):
        assert house.make(target).returncode == 0
    assert house.installs == [".[test,docs]"]


def test_the_install_for_serving_is_not_enough_for_testing(house: House) -> None:
    """Serving needs no test tools, so it does not wait for them."""
    for target in (".venv/serve", ".venv/test"):
        assert house.make(target).returncode == 0
    assert house.installs == [".", ".[test,docs]"]


def test_without_a_python_that_is_new_enough_make_says_so(house: House) -> None:
    """One sentence, and nothing is left."""
    refused = house.make("serve", "PYTHON=")
    assert refused.returncode != 0
    assert "itemstore needs Python 3.11 or later on PATH." in refused.stderr
    assert not (house.directory / ".venv").exists()


def test_a_virtual_environment_that_failed_half_way_is_not_kept(house: House) -> None:
    """Debian's Python without its venv package leaves one that has no pip."""
    assert house.make(".venv/serve", VENV_EXIT="1").returncode != 0
    assert not (house.directory / ".venv").exists()
    assert house.make(".venv/serve").returncode == 0


def test_the_tests_are_run_after_every_check(house: House) -> None:
    """`make test` is what CI runs, so it leaves nothing out."""
    planned = house.make("--dry-run", "test").stdout
    steps = ["ruff check .", "ruff format --check .", "mypy", "lint-imports", "-m pytest"]
    places = [planned.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_ci_is_a_script_that_stops_at_the_first_failure_and_runs_the_tests() -> None:
    """It is valid bash, and `make test` is its last word."""
    script = ROOT / ".ci" / "run"
    lines = script.read_text().splitlines()
    subprocess.run(["bash", "-n", script], check=True, timeout=20)
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"
