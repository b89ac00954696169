"""Where an import keeps what it has checked, until all of it is."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import pytest

from itemstore.cli.errors import Stop
from itemstore.cli.import_file import import_file
from itemstore.engine.disk_space import DiskSpace
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.store import Store
from tests.cli.test_import_export import MANY, SIZE, store
from tests.cli.test_log_commands import COMMAND, as_lines

__all__ = ["store"]  # a fixture

LARGE = MANY.replace('"subject": "', '"subject": "a') + MANY
"""More than an import keeps in memory until all of it is checked."""


async def test_a_temporary_file_that_can_t_be_had_is_said(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do, and nothing is written."""
    (tmp_path / "lines").write_text(LARGE)

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(Stop, match=r"No space left on device\. TMPDIR"):
        await import_file(store, tmp_path / "lines", append=False)
    assert await store.partition.client.keys() == []


def test_a_temporary_file_that_becomes_full_is_said(tmp_path: Path) -> None:
    """One sentence that says what to do; no event is written, and no new store is left."""
    file, data = tmp_path / "lines", tmp_path / "data"
    file.write_text(LARGE)
    words = " ".join(f"'{word}'" for word in (*COMMAND, "import", "--data-dir", data, file))
    limited = f"ulimit -f 10000; exec {words}"  # 10,000 kB, or half of it, for any file
    ended = subprocess.run(
        ["sh", "-c", limited], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "temporary file until all of it is, which failed: File too large. TMPDIR" in ended.stderr
    assert not data.exists()


async def test_what_is_checked_waits_in_a_file_without_a_name(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is gone however the process ends; and what is written is what was checked."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    lines, seen = tmp_path / "lines", []
    lines.write_text(MANY)

    def look(self: DiskSpace) -> None:
        seen.append([*directory.iterdir()])
        lines.write_text("not what it was")

    monkeypatch.setattr(DiskSpace, "check", look)
    assert await import_file(store, lines, append=False) == SIZE
    assert len(seen) > 1
    assert not any(seen)
    assert (await verify(store.partition, BUILT_IN)).clean


@pytest.mark.parametrize("append", [False, True])
async def test_the_first_line_that_is_wrong_is_named(
    store: Store, tmp_path: Path, *, append: bool
) -> None:
    """Also where others follow in one script call, and nothing is written of those before it."""
    fitting = [{"type": "ItemCreated", "subject": f"{n}", "data": {}} for n in range(700)]
    wrong = {"type": "ItemDeleted", "subject": "unknown"}
    lines = tmp_path / "lines"
    lines.write_text(as_lines(*fitting, wrong, *[{**each, "data": 1} for each in fitting]))
    with pytest.raises(Stop, match=r"line 701: ItemDeleted of 'unknown': the item does not exist"):
        await import_file(store, lines, append=append)
    assert await store.partition.client.keys() == []


async def test_an_item_may_have_any_number_of_events_in_one_script_call(
    store: Store, tmp_path: Path
) -> None:
    """Its versions and the position of its creation follow from the events, between others'."""
    types = ("ItemCreated", "ItemUpdated", "ItemDeleted", "ItemCreated", "ItemUpdated")
    lines = tmp_path / "lines"
    told = [
        {"type": kind, "subject": item, "id": f"{n}-{place}"}
        | ({} if kind == "ItemDeleted" else {"data": {"n": n}})
        for n, kind in enumerate(types, start=1)
        for place, item in enumerate(("a", "b"))
    ]
    lines.write_text(as_lines(*told))
    assert await import_file(store, lines, append=False) == len(told)
    rows = await store.partition.client.hgetall(store.partition.keys.current)
    assert rows[b"b"] == b'{"version":5,"position":"5-1","created":"4-1","data":{"n":5}}'
    assert (await verify(store.partition, BUILT_IN)).clean
