"""Fresh virtual environments, with what the store depends on and without the store."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.conftest import PATIENCE


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment of its own, in which pip installs what is built here."""

    directory: Path

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.directory)}))

    @property
    def programs(self) -> Path:
        """Where its commands are."""
        return self.directory / "bin"

    def python(self, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs its Python in a directory, without what these tests or a person have set."""
        return subprocess.run(
            [self.programs / "python", *words],
            cwd=cwd, env=self.variables(), capture_output=True, text=True, check=False,
            timeout=2 * PATIENCE,
        )  # fmt: skip

    def pip(self, verb: str, *words: str | Path) -> None:
        """Runs pip. Nothing is downloaded: dependencies and build tools are there."""
        offline = ["--no-deps", "--no-index", "--no-build-isolation"] if verb == "install" else []
        quiet = ["--quiet", "--disable-pip-version-check"]
        run = self.python("-m", "pip", verb, *quiet, *offline, *words, cwd=self.directory)
        assert run.returncode == 0, run.stderr

    def variables(self) -> dict[str, str]:
        """The variables that its programs are run with."""
        kept = {name: value for name, value in os.environ.items() if not _of_python(name)}
        return kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def new_environment(directory: Path) -> Environment:
    """Makes one. What the present one has, but for the store, is in it by links.

    To install all of it again would take minutes, and would test nothing: whether each thing that
    is imported is asked for in pyproject.toml is a test of its own.
    """
    venv.create(directory, symlinks=True)
    environment = Environment(directory)
    own = {file.parts[0] for file in metadata.files("itemstore") or ()}
    for present in {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}:
        for each in present.iterdir():
            if each.name not in own | {"__pycache__"}:
                (environment.packages / each.name).symlink_to(each)
    return environment


def _of_python(name: str) -> bool:
    return name.startswith(("ITEMSTORE_", "PYTHON", "PYTEST_", "VIRTUAL_ENV"))
