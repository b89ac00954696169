"""The archive of a store, as its files say, and the whole log: of archive and streams together.

It is read by the documented form of the files and of the keys, and by no code of the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
import pyzstd
from obstore.store import LocalStore
from redis.asyncio import Redis

from tests.torture.history import LogEntry, place_of
from tests.torture.moments import entry_of
from tests.torture.processes import COLLECTIONS, log_of

START = "0-0"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an archive is: what the store's processes are told of it, and how it is read here."""

    environment: Mapping[str, str]
    store: Any
    """Of obstore."""

    @classmethod
    def in_directory(cls, path: Path) -> Place:
        """A directory, which may not be there yet."""
        return cls({"ITEMSTORE_ARCHIVE": str(path)}, LocalStore(path, mkdir=True))


PATIENCE = 20.0
"""Seconds in which all is in the archive once nothing is written any more."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The log of all collections, and what is wrong with where it is kept."""

    log: list[LogEntry]
    complaints: list[str]


async def whole_log(
    client: Redis, archive: Place, collections: Sequence[str] = COLLECTIONS
) -> Whole:
    """What streams and archive hold together, when nothing is written and all is archived."""
    complaints = await _settled(client, collections)
    streams = await log_of(client, collections)
    archived, wrong = await archived_log(archive)
    complaints += wrong
    border = place_of(await _standing(client, "border"))
    log = _together(archived, streams, border)
    for name in collections:
        complaints += await _miscounted(client, name, log)
    left = [entry for entry in streams if entry.place <= border]
    complaints += _differences("the streams differ from the archive", left, archived)
    complaints += _differences("the archive differs from the log", archived, log)
    if len(archived) != len(log):
        complaints.append(f"the archive has {len(archived)} events, the log {len(log)}")
    return Whole(log, complaints)


async def log_with(
    client: Redis, archived: Sequence[LogEntry], collections: Sequence[str] = COLLECTIONS
) -> list[LogEntry]:
    """What the streams of an engine hold, and before its border the archive."""
    streams = await log_of(client, collections)
    return _together(archived, streams, place_of(await _standing(client, "border")))


def _together(
    archived: Sequence[LogEntry], streams: Sequence[LogEntry], border: tuple[int, int]
) -> list[LogEntry]:
    log = [entry for entry in archived if entry.place <= border]
    return log + [entry for entry in streams if entry.place > border]


async def archived_log(archive: Place) -> tuple[list[LogEntry], list[str]]:
    """The events that the newest manifest names, and what is wrong with its files."""
    manifest = await newest_manifest(archive)
    complaints, entries = list[str](), list[LogEntry]()
    for segment in manifest["segments"]:
        content = await _content(archive, segment["name"])
        if hashlib.sha256(content).hexdigest() != segment["sha256"]:
            complaints.append(f"the digest of {segment['name']} is another one")
        lines = pyzstd.decompress(content).splitlines()
        found = [entry_of(json.loads(line)) for line in lines]
        entries += found
        ends = (len(found), found[0].position, found[-1].position)
        if ends != (segment["events"], segment["first"], segment["last"]):
            complaints.append(f"{segment['name']} has {ends}, its manifest says otherwise")
    if [entry.place for entry in entries] != sorted({entry.place for entry in entries}):
        complaints.append("the events of the archive are not in the order of their positions")
    return entries, complaints


async def newest_manifest(archive: Place) -> dict[str, Any]:
    """The last one, as JSON; one of no segments where there is none."""
    listed = obstore.list(archive.store, "manifests/")
    names = [each["path"] async for some in listed for each in some]
    if not names:
        return {"segments": [], "indexes": []}
    manifest: dict[str, Any] = json.loads(await _content(archive, max(names)))
    return manifest


async def _content(archive: Place, name: str) -> bytes:
    return bytes(await (await obstore.get_async(archive.store, name)).bytes_async())


async def _settled(client: Redis, collections: Iterable[str]) -> list[str]:
    """Waits until the archive has all; what to say where it never does."""
    until = time.monotonic() + PATIENCE
    while True:
        ends: list[Any] = [
            await client.xrevrange(f"{name}:events", count=1) for name in collections
        ]
        last = max((place_of(end[0][0].decode()) for end in ends if end), default=(0, 0))
        sealed = await _standing(client, "sealed")
        if place_of(sealed) >= last:
            return []
        if time.monotonic() > until:
            return [f"after {PATIENCE} s the archive is at {sealed}, and the log at {last}"]
        await asyncio.sleep(0.05)


async def _standing(client: Redis, name: str) -> str:
    value: Any = await client.hget("itemstore:archive", name)
    return value.decode() if value else START


async def _miscounted(client: Redis, name: str, log: Sequence[LogEntry]) -> list[str]:
    """What was trimmed on purpose is counted."""
    async with client.pipeline(transaction=True) as both:  # of one moment: trimming may go on
        both.get(f"{name}:trimmed")
        both.xlen(f"{name}:events")
        found, stream = await both.execute()
    trimmed = int(found or 0)
    there = sum(entry.item.startswith(f"{name}/") for entry in log)
    if trimmed + stream == there:
        return []
    return [f"{name}: {trimmed} trimmed and {stream} in the stream, {there} in all"]


def _differences(what: str, some: Sequence[LogEntry], others: Sequence[LogEntry]) -> list[str]:
    """The first of some entries that is another one among others, or is not there."""
    known = {entry.position: entry for entry in others}
    for entry in some:
        if known.get(entry.position) != entry:
            return [f"{what}: {entry}, and {known.get(entry.position)}"]
    return []
