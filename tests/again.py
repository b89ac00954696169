"""The tests that failed beside others, once more and by themselves: `python -m tests.again`.

A few only, and all of them have to pass: docs/decisions/0019 says why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FEW = 5

FAILED = Path(".pytest_cache/v/cache/lastfailed")
"""Where pytest notes what failed last."""


def again(directory: Path) -> int:
    """The exit code of their second run, or 1 where so many failed that it is no accident."""
    noted = directory / FAILED
    failed = sorted(json.loads(noted.read_text())) if noted.exists() else []
    if not 0 < len(failed) <= FEW:
        return 1
    print("", "Failed beside others, and run again alone, where they have to pass:", sep="\n")
    print(*failed, sep="\n", flush=True)
    command = [sys.executable, "-m", "pytest", "--last-failed", "--last-failed-no-failures", "none"]
    return subprocess.run(command, cwd=directory, check=False).returncode


if __name__ == "__main__":
    sys.exit(again(Path.cwd()))
