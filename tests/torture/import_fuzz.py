"""Lines that are nearly an export, into `import`: all of a file or nothing, and one clear word."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.cli.errors import Stop
from itemstore.cli.import_file import import_file
from itemstore.engine.disk_space import DiskSpace
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.torture.corpus import JSON, POSITIONS
from tests.torture.inputs import damaged
from tests.torture.outcome import Outcome

TIMES = ["2026-11-23T08:09:06Z", "2026-11-23", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z",
         "2026-11-23T08:09:06.123456789Z", "x", "", 5, None, [], "2026-W48-1",
         "1969-12-31T23:59:59Z"]  # fmt: skip

SUBJECTS: list[Any] = [*["a", "b", "c"] * 5, "", ".", "é", "\x00", "x" * 600, 1, None, "\ud800"]

TYPES: list[Any] = [*["ItemCreated", "ItemUpdated", "ItemDeleted"] * 4, "ItemMoved", "", 1, None]


async def import_fuzz(seed: int, seconds: float, most: int = 10_000_000) -> Outcome:
    """As many files as there is time for."""
    chance = random.Random(f"{seed} import")
    outcome = Outcome("import", seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        file = Path(name) / "lines"
        while outcome.inputs < most and time.monotonic() - began < seconds:
            text = _lines(chance)
            file.write_bytes(text)
            outcome.inputs += 1
            try:
                wrong = await _imported(file, outcome, appending=chance.random() < 0.3)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
                wrong = repr(error)
            if wrong:
                outcome.violations.append(f"{wrong}: {text[:2000]!r}")
    outcome.seconds = time.monotonic() - began
    return outcome


async def _imported(file: Path, outcome: Outcome, *, appending: bool) -> str:
    """What is wrong after an import into a store of its own; empty where nothing is."""
    store = Store.on(FakeAsyncRedis(server=FakeServer()), Settings(), DiskSpace())
    before = 0
    try:
        count = await import_file(store, file, append=appending)
    except Stop as stop:
        outcome.answers["refused"] += 1
        if not str(stop).startswith("line "):
            return f"no line is named: {stop}"
        count = 0
    else:
        outcome.answers["imported"] += 1
    if (await store.feed.reader.extent()).length != before + count:
        return f"{(await store.feed.reader.extent()).length} events in the log, {count} imported"
    return (
        ""
        if (await verify(store.partition, BUILT_IN)).clean
        else "the log and what is derived from it differ"
    )


def _lines(chance: random.Random) -> bytes:
    """A short history, mostly possible, with lines that are damaged."""
    lines, there = [], set[str]()
    place = chance.randint(1, 10**12)
    for _ in range(chance.choice([0, 1, 2, 5, 20])):
        item = chance.choice("abc")
        type_ = ("ItemCreated" if item not in there
                 else chance.choice(["ItemUpdated", "ItemDeleted"]))  # fmt: skip
        there = there - {item} if type_ == "ItemDeleted" else there | {item}
        place += chance.choice([1, 1, 1, 1000])
        event: dict[str, Any] = {
            "specversion": "1.0", "id": f"{place}-0", "source": "/items", "type": type_,
            "subject": item, "time": "2026-11-23T08:09:06Z",
        }  # fmt: skip
        if type_ != "ItemDeleted":
            event["data"] = {"size": place}
        lines.append(_line(event, chance))
    return chance.choice([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"]).join(lines)


def _line(event: dict[str, Any], chance: random.Random) -> bytes:
    if chance.random() < 0.06:
        event["time"] = chance.choice(TIMES)
        event.pop("id")
    if chance.random() < 0.03:
        event["subject"] = chance.choice(SUBJECTS)
    if chance.random() < 0.03:
        event["type"] = chance.choice(TYPES)
    if chance.random() < 0.03:
        event["id"] = chance.choice(POSITIONS).decode("latin-1")
    if chance.random() < 0.02:
        event[chance.choice(["actor", "traceparent"])] = chance.choice(["ann", 1, None, "\ud800"])
    text = json.dumps(event).encode()
    if chance.random() < 0.05:
        text = text.replace(b'{"size"', b'{"x":%s,"size"' % chance.choice(JSON))
    return damaged(text, chance) if chance.random() < 0.05 else text
