"""A segment of the archive is an export: the command takes it, and gives the same back."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pyzstd

from itemstore.archive.lines import Placed
from itemstore.archive.segments import SegmentFile, segment_of
from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.positions import START
from itemstore.eventlog.log_steps import part_of_logs
from itemstore.eventlog.reader import Within
from itemstore.store.opening import open_to_serve
from itemstore.store.settings import Settings
from tests.cli.test_collections import Run, run

__all__ = ["run"]  # a fixture

WRITERS = [
    {},
    {"actor": "alice"},
    {"actor": "é", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"actor": "alice", "key": "a key", "transaction": "t 1"},
]
BODIES = [
    b"[]",
    b'{"a":{}}',
    b'{"a":1e+300,"b":-0.0}',
    '{"é":"\\u0000\\n\u2028"}'.encode(),
    b"null",
]


async def _segment(data: Path) -> SegmentFile:
    """The segment of a new store's events."""
    async with open_to_serve(Settings(data_dir=data, collections="items=any,orders=any")) as store:
        for number in range(40):
            log = store.collections["orders" if number % 3 else "items"].log
            item = f'größe "{number % 4}"'
            meta = WRITERS[number % 4]
            if number > 35:
                await log.append(DeleteItem(item), meta)
            else:
                await log.append(PutItem(item, BODIES[number % 5]), meta)
        logs = [each.partition.keys for each in store.collections.values()]
        part = await part_of_logs(store.partition.client, logs, START, Within())
        placed: list[Placed] = list(zip(part.collections, part.entries, strict=True))
        return segment_of(placed)


def test_a_segment_is_what_an_export_says_and_an_import_takes(run: Run, tmp_path: Path) -> None:
    """But for `itemmeta`, where a write had an idempotency key."""
    segment = asyncio.run(_segment(tmp_path / "data"))
    file = tmp_path / "segment.jsonl.zst"
    file.write_bytes(segment.data)
    if shutil.which("zstdcat"):
        lines = subprocess.run(
            ["zstdcat", file], stdout=subprocess.PIPE, check=True
        ).stdout.decode()
    else:
        lines = pyzstd.decompress(segment.data).decode()

    exported = run("export").stdout
    taken = run("import", "-", stdin=lines, data="copy")

    without, count = re.subn(r',"itemmeta":"(?:[^"\\]|\\.)*"', "", lines)
    assert count == 10
    assert without == exported
    assert exported.count("\n") == 40
    assert (taken.returncode, taken.stderr) == (0, "40 events imported\n")
    assert run("export", data="copy").stdout == exported
