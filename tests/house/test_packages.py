"""pyproject.toml: what is installed, what it needs, and who may import whom."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(TEXT)
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def imported(package: str) -> Iterator[str]:
    """The top-level names that the package's modules import."""
    for module in (ROOT / package).rglob("*.py"):
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


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_there_and_says_that_it_is_typed(package: str) -> None:
    """PEP 561: type checkers of those who import it look for py.typed."""
    assert (ROOT / package / "__init__.py").is_file()
    assert (ROOT / package / "py.typed").is_file()


def test_the_command_is_there() -> None:
    """`itemstore` calls what pyproject.toml names."""
    module, _, function = PROJECT["project"]["scripts"]["itemstore"].partition(":")
    source = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    assert function in {node.name for node in source.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_a_declared_dependency(package: str) -> None:
    """Nothing is there only because something else happened to bring it."""
    declared = {distribution(line) for line in PROJECT["project"]["dependencies"]}
    declared.add("pydantic-core")  # part of pydantic, which asks for one version of it alone
    carriers = metadata.packages_distributions()
    others = set(imported(package)) - sys.stdlib_module_names - set(PACKAGES)
    undeclared = {
        name
        for name in others
        if not declared & {distribution(carrier) for carrier in carriers.get(name, ())}
    }
    assert undeclared == set()


def test_the_domain_imports_the_standard_library_only() -> None:
    """Whatever the contract in pyproject.toml forgets to forbid."""
    assert set(imported("domain")) <= sys.stdlib_module_names | {"domain"}


def test_the_contract_on_imports_covers_every_package() -> None:
    """A package that is in no layer could import, and be imported by, anything."""
    linter = PROJECT["tool"]["importlinter"]
    [layers] = [rule["layers"] for rule in linter["contracts"] if rule["type"] == "layers"]
    assert sorted(layers) == sorted(linter["root_packages"]) == sorted(PACKAGES)


def test_each_exception_from_the_lint_rules_has_its_reason_beside_it() -> None:
    """A rule that is off without a reason stays off for ever."""
    exceptions = re.findall(r'^    "[A-Z]+\d+",.*$', TEXT, re.MULTILINE)
    assert len(exceptions) > 1
    assert [line for line in exceptions if not re.search(r",\s+# \w", line)] == []
