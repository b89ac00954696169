"""Two commits of this repository against each other."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contestant import Contestant
from benchmarks.contestants import itemstore
from benchmarks.starting import HERE


@contextmanager
def commits(revisions: Sequence[str]) -> Iterator[list[Contestant]]:
    """Ours as each commit has it, for the block: worktrees in a temporary directory.

    `.` is the checkout that runs the benchmark, as it is.
    """
    with tempfile.TemporaryDirectory() as directory:
        contestants = []
        try:
            for number, revision in enumerate(revisions):
                checkout = HERE
                if revision != ".":
                    checkout = Path(directory) / str(number)
                    _git("worktree", "add", "--detach", str(checkout), revision)
                contestants.append(itemstore(checkout, revision))
            yield contestants
        finally:
            for number in range(len(revisions)):
                if (checkout := Path(directory) / str(number)).exists():
                    _git("worktree", "remove", "--force", str(checkout))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=HERE, check=True, capture_output=True)
