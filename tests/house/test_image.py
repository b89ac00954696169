"""The Dockerfile and .dockerignore, read: no engine for images runs where the tests run."""

from __future__ import annotations

import tomllib

from tests.conftest import ROOMS, ROOT


def instructions(name: str) -> list[str]:
    """What follows each such instruction of the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def test_the_build_gets_what_the_wheel_is_made_of_and_nothing_else() -> None:
    """A new room is in the image too; data, history and a virtual environment stay out of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    described = {"pyproject.toml", project["readme"], *project["license-files"]}
    first, *others = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {pattern.removeprefix("!") for pattern in others if pattern.startswith("!")}
    assert first == "*"
    assert let_in == {"src", *ROOMS, *described}
    assert instructions("COPY")[0] == ". ."


def test_data_and_archive_belong_to_who_runs_the_service() -> None:
    """A new volume is given to the owner of the directory that it is put over."""
    [made] = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if "install -d" in line
    ]
    assert f"-o {instructions('USER')[-1]} " in made
    assert made.endswith(" /data /archive")


def test_the_service_does_not_run_as_root() -> None:
    """The last USER is the one that the command runs as."""
    assert instructions("USER")[-1] not in {"root", "0"}
