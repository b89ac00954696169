"""Tests that failed beside others are run again alone, a few of them, and have to pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.again import FEW, again

Failing = Callable[[str], None]

PASSES_THE_SECOND_TIME = """
from pathlib import Path

def test_late_once():
    noted = Path(__file__).with_name("was_late")
    is_first = not noted.exists()
    noted.touch()
    assert not is_first
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest without what is installed beside it begins in a part of the time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def failing(tmp_path: Path) -> Failing:
    """Runs tests of a project, of which some fail."""

    def run(text: str) -> None:
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        (tmp_path / "test_them.py").write_text(text + "\ndef test_fine():\n    pass\n")
        command = [sys.executable, "-m", "pytest", "-q"]
        done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True)
        assert done.returncode == 1

    return run


def test_one_that_passes_alone_is_named_and_forgiven(
    failing: Failing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only that one is run."""
    failing(PASSES_THE_SECOND_TIME)
    assert again(tmp_path) == 0
    said = capfd.readouterr().out
    assert "test_them.py::test_late_once" in said
    assert "1 passed" in said


def test_one_that_fails_again_is_a_failure(failing: Failing, tmp_path: Path) -> None:
    """Also beside one that passes."""
    failing(PASSES_THE_SECOND_TIME + "\ndef test_wrong():\n    assert False\n")
    assert again(tmp_path) == 1


def test_many_are_not_run_again(
    failing: Failing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """So many are no accident."""
    late = PASSES_THE_SECOND_TIME.replace("late_once", "late_{n}").replace("was_late", "was_{n}")
    failing("".join(late.replace("{n}", str(n)) for n in range(FEW + 1)))
    assert again(tmp_path) == 1
    assert "passed" not in capfd.readouterr().out


def test_without_a_failure_noted_there_is_nothing_to_forgive(tmp_path: Path) -> None:
    """As where pytest itself could not begin."""
    assert again(tmp_path) == 1
