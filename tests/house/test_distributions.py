"""Wheel, sdist and editable install: one name at the top, and every file that is needed."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.conftest import ROOMS, ROOT
from tests.house.conftest import Built
from tests.house.environments import new_environment


def files_of(directory: Path) -> set[str]:
    """The files below a directory, as the package has them."""
    return {
        str(file.relative_to(directory))
        for file in directory.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }


@pytest.fixture(scope="module")
def tree() -> set[str]:
    """Every file of the package in this tree: its own, and those of its rooms."""
    source = ROOT / "src/itemstore"
    own = {file.name for file in source.iterdir() if file.is_file()}
    rooms = {f"{room}/{file}" for room in ROOMS for file in files_of(ROOT / room)}
    return {f"itemstore/{name}" for name in own | rooms}


def names_in_wheel(file: Path) -> set[str]:
    """The names in a wheel, without those of its description."""
    with zipfile.ZipFile(file) as wheel:
        return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(
    built: Built, tree: set[str]
) -> None:
    """Modules, scripts in Lua and py.typed; no room and no kind of file is forgotten."""
    assert {PurePosixPath(name).suffix for name in tree} >= {".py", ".lua", ".typed"}
    assert names_in_wheel(built.wheel) == tree


def test_the_sdist_holds_that_and_what_describes_it(built: Built, tree: set[str]) -> None:
    """In the sdist the rooms are folders and not links, so it unpacks on every system."""
    with tarfile.open(built.sdist) as sdist:
        members = sdist.getmembers()
    described = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    top = built.sdist.name.removesuffix(".tar.gz")
    expected = {f"src/{name}" for name in tree} | described
    assert {member.name for member in members} == {f"{top}/{name}" for name in expected}
    assert all(member.isfile() for member in members)


def test_the_wheel_of_the_sdist_is_the_same_wheel(built: Built) -> None:
    """To the byte: building it gives what downloading it gives."""
    assert built.wheel_of_sdist.read_bytes() == built.wheel.read_bytes()


@pytest.mark.parametrize("kind", ["wheel", "tree", "editable"])
def test_an_install_adds_one_name_and_its_description(
    kind: str, built: Built, tree: set[str], tmp_path: Path
) -> None:
    """To site-packages; and to the path, in the case of an editable one."""
    environment = new_environment(tmp_path / "environment")
    before = {each.name for each in environment.packages.iterdir()}
    words: dict[str, list[str | Path]] = {
        "wheel": [built.wheel],
        "tree": [ROOT],
        "editable": ["--editable", ROOT],
    }
    environment.pip("install", *words[kind])
    added = {each.name for each in environment.packages.iterdir()} - before
    [description] = [name for name in added if name.endswith(".dist-info")]
    if kind == "editable":
        assert added == {"_itemstore.pth", description}
        [path] = (environment.packages / "_itemstore.pth").read_text().splitlines()
        assert [each.name for each in Path(path).iterdir()] == ["itemstore"]
    else:
        assert added == {"itemstore", description}
        assert files_of(environment.packages / "itemstore") == {
            name.removeprefix("itemstore/") for name in tree
        }
    shown = environment.python("-m", "itemstore", "--version", cwd=tmp_path)
    assert shown.stdout.startswith("itemstore ")
