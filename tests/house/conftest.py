"""What is built of the package, once for all tests that need it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, ROOT


@dataclass(frozen=True, slots=True)
class Built:
    """The files that a release is made of, and the wheel that is made of one of them."""

    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def build(source: Path, directory: Path, *kinds: str) -> None:
    """Builds from the source, with the backend that pip and `python -m build` call as well."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", directory, *kinds],
        cwd=source, capture_output=True, check=True, timeout=PATIENCE,
    )  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist and the wheel of this tree, and the wheel of the sdist."""
    directory = tmp_path_factory.mktemp("built")
    build(ROOT, directory)
    [sdist], [wheel] = directory.glob("*.tar.gz"), directory.glob("*.whl")
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="data")
    build(directory / sdist.name.removesuffix(".tar.gz"), directory / "again", "-t", "wheel")
    return Built(sdist, wheel, directory / "again" / wheel.name)
