"""`itemstore restore`, as a person types it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from tests.archive.whole_stores import archived, with_history
from tests.cli.forked import command
from tests.forks import Forked


def typed_at_terminal(answer: str, *words: object) -> tuple[int, str]:
    """How a command ends whose question a person answers, and all that is on the terminal."""
    terminal, end = pty.openpty()
    with suppress(OSError):
        process = Forked([str(word) for word in words], os.environ, end, end, end)
        os.close(end)
        os.write(terminal, f"{answer}\n".encode())
        said = b""
        while part := os.read(terminal, 10_000):  # an error when its last writer has gone
            said += part
    os.close(terminal)
    return process.wait(60), said.decode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory of an archive with a history of three collections."""

    async def fill() -> None:
        archive = Archive(object_store_of(tmp_path / "archive"), cache_bytes=1 << 20)
        await archived(await with_history(120), archive)

    asyncio.run(fill())
    return tmp_path / "archive"


def run(*words: object, **environment: str) -> CompletedProcess[str]:
    """What comes of a command."""
    return command([str(word) for word in words], os.environ | environment, "")


def verdict(data: Path) -> dict[str, Any]:
    """What `verify` says of a data directory."""
    ended = run("verify", "--json", "--data-dir", data)
    assert ended.stdout, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_person_is_asked_before_an_archive_is_taken_over(place: Path, tmp_path: Path) -> None:
    """Another store may write to it; whoever says no has changed nothing."""
    words = ("restore", "--from", place, "--archive", place, "--data-dir")
    code, said = typed_at_terminal("n", *words, tmp_path / "one")
    assert code == 1
    assert "Take it over? [y/N]" in said
    assert "Nothing was restored" in said
    assert run("info", "--data-dir", tmp_path / "one").returncode == 1
    code, said = typed_at_terminal("y", *words, tmp_path / "two")
    assert code == 0, said
    assert "It has taken that over" in said
    code, said = typed_at_terminal("", *words, tmp_path / "three", "--take-over")
    assert (code, "Take it over?" in said) == (0, False)


def test_a_copy_has_an_archive_in_its_data_directory(place: Path, tmp_path: Path) -> None:
    """It says what it restored, and what to do about tokens; the source stays as it is."""
    before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
    data = tmp_path / "copy"
    ended = run("restore", "--from", place, "--data-dir", data, ITEMSTORE_KEEP_EVENTS="50")
    assert ended.returncode == 0, ended.stderr
    assert "; 51 of the events are in the engine" in ended.stderr
    assert "itemstore token create" in ended.stderr
    assert str(data / "archive") in ended.stderr
    assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == before
    assert verdict(data)["clean"]
    exported = run("export", "--data-dir", data).stdout.splitlines()
    assert f"{len(exported)} events and " in ended.stderr
    again = run("restore", "--from", place, "--data-dir", data)
    assert again.returncode == 1
    assert "The engine has a store already" in again.stderr


def test_only_the_archive_is_left_in_a_data_directory(place: Path, tmp_path: Path) -> None:
    """It is restored where it is, and goes on with that archive."""
    data = tmp_path / "data"
    data.mkdir()
    place.rename(data / "archive")
    (data / "begun").touch()
    refused = run("restore", "--from", data / "archive", "--data-dir", data)
    assert refused.returncode == 1
    assert f"delete {data / 'begun'}" in refused.stderr
    (data / "begun").unlink()
    ended = run("restore", "--from", data / "archive", "--data-dir", data)
    assert ended.returncode == 0, ended.stderr
    assert verdict(data)["clean"]
    assert len([*(data / "archive" / "manifests").iterdir()]) == 3


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--from", "ftp://host/a"), "itemstore: --from: ", 2),
        (("--from", "nowhere"), "There is no archive in ", 1),
        (("--from", "archive", "--at", "noon"), "--at takes a position, ", 2),
        (("--from", "archive", "--at", ""), "2026-11-23T08:09:06Z, and is empty.", 2),
        (("--from", "archive", "--archive", "http://x"), "--archive: ", 2),
    ],
)
def test_what_is_asked_for_wrongly_leaves_nothing(
    place: Path, tmp_path: Path, words: tuple[str, ...], said: str, code: int
) -> None:
    """One line says why."""
    words = tuple(str(place) if word == "archive" else word for word in words)
    ended = run("restore", *words, "--data-dir", tmp_path / "new")
    assert (ended.returncode, ended.stderr.count("\n")) == (code, 1), ended.stderr
    assert said in ended.stderr
    assert not (tmp_path / "new").exists()
