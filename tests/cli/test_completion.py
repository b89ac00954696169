"""What a shell completes, in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from itemstore.cli.rebuild import BUILT_IN
from itemstore.store.projections import projections_of
from itemstore.store.settings import Settings
from tests.missing import missing

TYPED = {
    "ta": ["tail"],
    "token c": ["create"],
    "serve --dura": ["--durability"],
    "serve --durability f": ["fsync"],
    "serve --log-level ": ["debug", "info", "warning", "error"],
    "tail --type ItemD": ["ItemDeleted"],
    "token create ann --role ": ["reader", "writer", "admin"],
    "archive ": ["show", "seal", "check", "trim"],
    "rebuild c": ["current-items"],
    "tail --collection o": ["orders"],
    "import some": [],
}
"""What is typed after `itemstore`, and what can be meant."""


def in_shell(shell: str, home: Path, *words: str) -> list[str]:
    """The lines that a shell says, of a person whose home is empty but for what was put there."""
    if shutil.which(shell) is None:
        missing(f"{shell} is not installed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    there = {"HOME": str(home), "PATH": path, "ITEMSTORE_COLLECTIONS": "orders=any,notes"}
    said = subprocess.run(
        [shell, *words], env=there, cwd=home, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return said.stdout.splitlines()


def install(shell: str, home: Path) -> None:
    """As a person does it, in that shell."""
    [where, _] = in_shell(shell, home, "-c", "itemstore --install-completion; true")
    assert where.startswith(f"{shell} completion installed in {home}")


def test_bash_completes_what_can_be_meant(tmp_path: Path) -> None:
    """Verbs, options, and values of those that have a few; a file where nothing is known."""
    install("bash", tmp_path)
    words = [f"try {typed}" + (" ''" if typed.endswith(" ") else "") for typed in TYPED]
    script = [
        f". {tmp_path}/.bashrc",
        "complete -p itemstore",
        'try() { COMP_WORDS=(itemstore "$@"); COMP_CWORD=$#; COMPREPLY=()',
        '_itemstore_completion itemstore; echo "${COMPREPLY[*]}"; }',
        *words,
    ]
    registered, *shown = in_shell("bash", tmp_path, "--norc", "-c", "\n".join(script))
    assert "-o default" in registered
    assert [line.split() for line in shown] == [*TYPED.values()]


def test_fish_completes_what_can_be_meant(tmp_path: Path) -> None:
    """Verbs, options and values."""
    install("fish", tmp_path)
    typed = ["ta", "serve --dura", "tail --type ItemD", "archive "]  # each starts two processes
    script = [f"complete -C 'itemstore {each}'; echo end" for each in typed]
    shown = "\n".join(in_shell("fish", tmp_path, "-c", "\n".join(script)))
    found = [
        sorted(line.partition("\t")[0] for line in each.splitlines() if line)
        for each in shown.split("end")[:-1]
    ]
    assert found == [sorted(TYPED[each]) for each in typed]


def test_zsh_knows_who_completes(tmp_path: Path) -> None:
    """And what it is told then is its own kind of words."""
    install("zsh", tmp_path)
    script = [
        "autoload -Uz compinit; fpath+=$HOME/.zfunc; compinit -u; echo $_comps[itemstore]",
        "_ITEMSTORE_COMPLETE=complete_zsh _TYPER_COMPLETE_ARGS='itemstore ta' itemstore",
    ]
    [function, told] = in_shell("zsh", tmp_path, "-f", "-c", "\n".join(script))
    assert function == "_itemstore"
    assert told.startswith("""_arguments '*: :(("tail":""")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_would_be_installed_can_be_shown(tmp_path: Path, shell: str) -> None:
    """Nothing is written."""
    shown = "\n".join(in_shell(shell, tmp_path, "-c", "itemstore --show-completion; true"))
    assert "_ITEMSTORE_COMPLETE" in shown
    assert f"complete_{shell}" in shown
    assert not [file for file in tmp_path.rglob("*itemstore*") if file.is_file()]


def test_the_projections_that_are_offered_are_those_of_every_store() -> None:
    """They are written down with the verb."""
    projections = projections_of(Settings(), ["items"])
    assert [each.name for each in projections] == [*BUILT_IN]
