"""How far a store's archive is, and of several partitions' each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from itemstore.archive.belonging import complaint_about
from itemstore.archive.standing import Progress, Standing, progress
from itemstore.archive.whole import id_of_whole
from itemstore.domain.cursors import cursor_at
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.store.archiver import logs_of
from itemstore.store.store import Store

AT_ONCE = 8
"""Partitions whose places are looked at together."""

SECONDS = 3.0
"""After so long one of several nodes is taken to be away: the others are told of."""


@dataclass(frozen=True, slots=True)
class Progresses:
    """How far the archives of all partitions are: of one that gives no answer, the error.

    `whole` has the sums: its positions are cursors, `seconds` is that of the one that is farthest
    behind, and `complaint` names a partition.
    """

    each: Sequence[Progress | LogUnavailable | LogBroken]

    @property
    def known(self) -> Sequence[Progress]:
        """Those that gave an answer."""
        return [found for found in self.each if isinstance(found, Progress)]

    @property
    def latest(self) -> str:
        """The position of the newest event that is archived, START where none is."""
        return max((found.standing.sealed for found in self.known), key=key_of, default=START)

    @property
    def whole(self) -> Progress:
        """All of them together."""
        if len(self.each) == 1:
            return self.known[0]
        noted = [found.standing for found in self.known]
        archive = next((id_of_whole(one.archive) for one in noted if one.archive), None)
        standing = Standing(
            archive,
            cursor_at([_of(each).claimed for each in self.each]),
            cursor_at([_of(each).sealed for each in self.each]),
            cursor_at([_of(each).border for each in self.each]),
            sum(one.counted for one in noted),
        )
        return Progress(
            standing,
            sum(found.events for found in self.known),
            max((found.seconds for found in self.known), default=0.0),
            _complaint(self.each),
        )


_NOTHING = Standing(None, START, START, START, 0)


def _of(found: Progress | Exception) -> Standing:
    return found.standing if isinstance(found, Progress) else _NOTHING


def _complaint(each: Sequence[Progress | Exception]) -> str | None:
    said = [
        (number, found.complaint if isinstance(found, Progress) else str(found))
        for number, found in enumerate(each)
    ]
    wrong = [(number, sentence) for number, sentence in said if sentence is not None]
    if not wrong:
        return None
    (number, sentence), *others = wrong
    also = "" if not others else f" It is so, or alike, with {len(others)} other partitions."
    return f"Partition {number}: {sentence}{also}"


async def progresses(store: Store) -> Progresses | None:
    """How far the store's archive is, None where it has none.

    Raises LogUnavailable and LogBroken where no partition gives an answer.
    """
    ask = _in_time if store.has_partitions else _progress_of
    found = await asyncio.gather(*map(ask, store.sections))
    answered = [each for each in found if isinstance(each, Progress)]
    if not answered:
        [error, *_] = [each for each in found if not isinstance(each, Progress)]
        raise error
    is_archived = store.is_archived or any(each.standing.archive for each in answered)
    return Progresses(found) if is_archived else None


async def archive_progress(store: Store) -> Progress | None:
    """The same of all partitions together. Raises LogUnavailable and LogBroken."""
    found = await progresses(store)
    return None if found is None else found.whole


async def _in_time(section: Store) -> Progress | LogUnavailable | LogBroken:
    try:
        async with asyncio.timeout(SECONDS):
            return await _progress_of(section)
    except TimeoutError:
        return LogUnavailable(f"A node gives no answer within {SECONDS:.0f} s.")


async def _progress_of(section: Store) -> Progress | LogUnavailable | LogBroken:
    logs = logs_of(section)
    try:
        found = await progress(logs.client, await logs.keys())
    except (LogUnavailable, LogBroken) as error:
        return error
    return replace(found, complaint=section.archive.complaint if section.archive else None)


async def look_at_archive(store: Store, seconds: float) -> None:
    """Has what is wrong with the archive's place noted, where that answers in so many seconds.

    Raises LogUnavailable and LogBroken.
    """
    few = asyncio.Semaphore(AT_ONCE)

    async def look(section: Store) -> None:
        async with few:
            # Of one of several its own progress says that it gives no answer.
            with suppress(*(LogUnavailable, LogBroken) * store.has_partitions):
                await _look(section, seconds)

    await asyncio.gather(*map(look, store.sections))


async def _look(section: Store, seconds: float) -> None:
    archive = section.archive
    if archive is None:
        return
    try:
        async with asyncio.timeout(seconds):
            partition = section.partition
            archive.complaint = await complaint_about(partition.client, partition.keys, archive)
    except TimeoutError:
        archive.complaint = f"The archive {archive.place} gives no answer within {seconds:.0f} s."
