"""`itemstore`, the one name that the package is imported by."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

import itemstore
from itemstore.api.app import ItemStore, create_app
from itemstore.store.settings import Settings


def test_the_import_alone_imports_nothing_more() -> None:
    """A module that needs the store for one of its functions starts as quickly as without it."""
    code = (
        "import sys; before = set(sys.modules); import itemstore; print(set(sys.modules) - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.strip() == "{'itemstore'}"


def test_what_a_user_needs_is_there() -> None:
    """The same objects as where they are written."""
    assert itemstore.create_app is create_app
    assert itemstore.ItemStore is ItemStore
    assert itemstore.Settings is Settings
    assert itemstore.__version__ == metadata.version("itemstore")


def test_every_public_name_is_there_and_listed() -> None:
    """For `from itemstore import *`, and for a person who asks the interpreter."""
    assert set(itemstore.__all__) <= set(dir(itemstore))
    assert all(getattr(itemstore, name) for name in itemstore.__all__)


def test_another_name_is_refused_as_any_module_refuses_it() -> None:
    """hasattr() and pickle rely on the kind of error."""
    with pytest.raises(AttributeError, match="module 'itemstore' has no attribute 'creat_app'"):
        getattr(itemstore, "creat_app")  # noqa: B009 - a type checker would see it


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["serve", "--no-such"]])
def test_the_module_runs_as_the_command_and_under_its_name(words: list[str]) -> None:
    """`python -m itemstore` works where no script directory is on the PATH."""
    run = subprocess.run(
        [sys.executable, "-m", "itemstore", *words],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    named = " ".join(["itemstore", *words[:-1]])
    assert f"Usage: {named} " in run.stdout or f"`{named} --help`" in run.stderr
    assert "python -m" not in run.stdout + run.stderr
