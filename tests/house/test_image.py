"""The Dockerfile and .dockerignore, read: no engine for images runs where the tests run."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def instructions(name: str) -> list[str]:
    """What follows each such instruction of the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def copied() -> set[str]:
    """What the build copies from this directory."""
    own = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return {name for *sources, _ in own for name in sources}


def test_the_build_gets_all_that_the_wheel_is_made_of() -> None:
    """A new room of the source is one in the image too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    named = [project["project"]["readme"], *project["project"]["license-files"]]
    assert copied() == {"pyproject.toml", *named, *packages}


def test_nothing_but_what_is_copied_is_sent_to_the_build() -> None:
    """Data, history and a virtual environment stay out of it."""
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    assert "*" in patterns
    assert let_in == copied()


def test_the_service_does_not_run_as_root() -> None:
    """The last USER is the one that the command runs as."""
    assert instructions("USER")[-1] not in {"root", "0"}
