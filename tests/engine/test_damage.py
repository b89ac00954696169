"""Data that a crash or a hand has damaged: mended where nothing can be lost, else refused."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from itemstore.engine import append_only_file
from itemstore.engine.append_only_file import whole_until
from itemstore.engine.embedded import EngineFailed, run
from tests.engine.conftest import Connect
from tests.logged import all_told

WRITTEN = 10


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a base that has five entries of a stream, and five more after it."""
    directory = tmp_path_factory.mktemp("store") / "data"
    with run(directory) as engine, Redis.from_url(engine.url) as client:
        for number in range(WRITTEN):
            client.xadd("log", {"number": number})
            if number == WRITTEN // 2 - 1:
                client.bgrewriteaof()
                while client.info("persistence")["aof_current_size"] < 1 or rewriting(client):
                    pass
    return directory


def rewriting(client: Redis) -> bool:
    """Whether the engine is about to make a new base."""
    told = client.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


@pytest.fixture
def data(store: Path, data_dir: Path) -> Path:
    """A copy of it."""
    shutil.copytree(store, data_dir)
    return data_dir


def base(data: Path) -> Path:
    """The file that a rewrite made."""
    [file] = (data / "appendonlydir").glob("*.base.rdb")
    return file


def written(data: Path) -> Path:
    """The file that is written to."""
    [file] = (data / "appendonlydir").glob("*.incr.aof")
    return file


def manifest(data: Path) -> Path:
    """The file that names the others."""
    return data / "appendonlydir" / "appendonly.aof.manifest"


def length(data: Path, connect: Connect) -> int:
    """How many entries are there after a start."""
    with run(data) as engine:
        return int(connect(engine).xlen("log"))


@pytest.mark.parametrize(("torn", "zeroes"), [(0, 5000), (7, 5000), (0, 200_000)])
def test_zeroes_that_a_power_cut_left_are_taken_off(
    data: Path, connect: Connect, caplog: pytest.LogCaptureFixture, torn: int, zeroes: int
) -> None:
    """A file that had grown and was not written: all that was whole is there, and it is logged."""
    whole = written(data).read_bytes()
    left = WRITTEN - 1 if torn else WRITTEN
    written(data).write_bytes(whole[: len(whole) - torn] + bytes(zeroes))
    with caplog.at_level(logging.WARNING, logger="itemstore"):
        assert length(data, connect) == left
    [told] = all_told(caplog)
    assert (told["zeroes"], told["after_byte"]) == (zeroes, len(whole) - torn)
    caplog.clear()
    assert length(data, connect) == left
    assert caplog.records == []


def test_more_zeroes_than_a_crash_leaves_are_not_touched(
    data: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be where data was."""
    monkeypatch.setattr(append_only_file, "MOST_ZEROES", 4999)
    damaged = written(data).read_bytes() + bytes(5000)
    written(data).write_bytes(damaged)
    with pytest.raises(EngineFailed):
        length(data, connect)
    assert written(data).read_bytes() == damaged


def test_zeroes_within_the_file_are_not_touched(data: Path, connect: Connect) -> None:
    """What comes after them was acknowledged: the message has a way that works from here."""
    whole = written(data).read_bytes()
    end = whole_until(written(data))
    assert end == len(whole)
    damaged = whole[:150] + bytes(20) + whole[170:]
    written(data).write_bytes(damaged)
    with pytest.raises(EngineFailed, match=r"is whole up to byte \d+ of \d+") as failed:
        length(data, connect)
    assert written(data).read_bytes() == damaged
    command = failed.value.why.partition("those ")[2].partition(": ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert WRITTEN // 2 <= length(data, connect) < WRITTEN


def lost(name: Callable[[Path], Path]) -> Callable[[Path], None]:
    """Takes a file away."""
    return lambda data: name(data).unlink()


def filled(name: Callable[[Path], Path], content: bytes) -> Callable[[Path], None]:
    """Puts something else in its place."""

    def fill(data: Path) -> None:
        name(data).write_bytes(content)

    return fill


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lost(manifest), "is gone, which names the files"),
        (filled(manifest, b""), "is damaged, which names the files"),
        (filled(manifest, bytes(200)), "is damaged, which names the files"),
        (lost(base), "is gone, which has a part of the data"),
        (lost(written), "is gone, which has a part of the data"),
        (filled(base, b""), "is empty, which had a part of the data"),
        (filled(base, b"REDIS9999"), "written by a newer engine"),
        (lambda data: shutil.rmtree(data / "appendonlydir"), "a store was begun here"),
        (lambda data: [f.unlink() for f in (data / "appendonlydir").iterdir()], "was begun here"),
    ],
)
def test_less_than_there_was_is_refused(
    data: Path, connect: Connect, damage: Callable[[Path], None], why: str
) -> None:
    """An engine that starts with nothing, or with a part, would let the rest be overwritten."""
    damage(data)
    before = sorted((data / "appendonlydir").rglob("*"))
    with pytest.raises(EngineFailed, match=why):
        length(data, connect)
    assert sorted((data / "appendonlydir").rglob("*")) == before


@pytest.mark.parametrize("damage", [lost(manifest), filled(manifest, b"")])
def test_a_lost_manifest_is_written_again_as_the_message_says(
    data: Path, connect: Connect, damage: Callable[[Path], None]
) -> None:
    """The names of the files leave no doubt of what was in it."""
    before = manifest(data).read_bytes()
    damage(data)
    with pytest.raises(EngineFailed) as failed:
        length(data, connect)
    command = "printf " + failed.value.why.partition("printf ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert manifest(data).read_bytes() == before
    assert length(data, connect) == WRITTEN


def test_two_bases_leave_a_doubt(data: Path, connect: Connect) -> None:
    """Which of them counted nobody knows, so no command is proposed."""
    shutil.copy(base(data), base(data).with_name("appendonly.aof.1.base.rdb"))
    manifest(data).unlink()
    with pytest.raises(EngineFailed, match="Restore a copy") as failed:
        length(data, connect)
    assert "printf" not in failed.value.why


def test_an_empty_store_can_be_begun_where_one_was(data: Path, connect: Connect) -> None:
    """Once somebody says so, by taking away the mark that the message names."""
    shutil.rmtree(data / "appendonlydir")
    (data / "begun").unlink()
    assert length(data, connect) == 0


@pytest.mark.parametrize("made", [[], ["base"], ["base", "written"]])
def test_a_first_start_that_was_killed_is_no_lost_store(
    data_dir: Path, connect: Connect, made: list[str]
) -> None:
    """It makes the manifest last, and nothing was acknowledged before that."""
    with run(data_dir):
        pass
    manifest(data_dir).unlink()
    (data_dir / "begun").unlink()
    for name, file in (("base", base(data_dir)), ("written", written(data_dir))):
        if name not in made:
            file.unlink()
    assert length(data_dir, connect) == 0


def test_a_block_that_fails_before_it_wrote_leaves_no_new_store(data_dir: Path) -> None:
    """Only what the start made is taken away."""
    with pytest.raises(ZeroDivisionError), run(data_dir):
        raise ZeroDivisionError
    assert not data_dir.exists()
    data_dir.mkdir()
    (data_dir / "notes").touch()
    with pytest.raises(ZeroDivisionError), run(data_dir):
        raise ZeroDivisionError
    assert [file.name for file in data_dir.iterdir()] == ["notes"]


def test_a_block_that_fails_after_it_wrote_leaves_what_it_wrote(
    data_dir: Path, connect: Connect
) -> None:
    """What was acknowledged stays."""
    with pytest.raises(KeyError), run(data_dir) as engine:
        raise KeyError(connect(engine).xadd("log", {"a": "b"}))
    assert length(data_dir, connect) == 1
