"""Up to which event a store is restored, and which events of it stay in the archive."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from itemstore.archive.manifest import Manifest
from itemstore.domain.cursors import CURSOR, cursor_of, positions_of
from itemstore.domain.cursors import PATTERN as CURSORS
from itemstore.domain.positions import (
    LARGEST,
    START,
    key_of,
    milliseconds_of,
    position_at,
    position_of,
)
from itemstore.domain.rfc3339 import parse_rfc3339, rfc3339
from itemstore.eventlog.past import Past
from itemstore.store.transaction_around import transaction_around


class NoSuchEnd(Exception):
    """A store can't be restored up to what was said; the sentence says why."""


def check_end(at: str | None) -> None:
    """Raises NoSuchEnd where a text is neither a position, nor a cursor, nor a time."""
    if at is not None and re.match(CURSORS, at) is None:
        _milliseconds(at)


class Ends:
    """Up to which event each partition of a store is restored; `at` is None, a cursor or a time.

    What a partition had by then is restored as far as it is in its archive.
    """

    def __init__(
        self, pasts: Sequence[Past], manifests: Sequence[Manifest], at: str | None
    ) -> None:
        """Raises NoSuchEnd where `at` is none of these for so many partitions."""
        self._pasts = pasts
        self._manifests = manifests
        self._at = at
        self._each = self._cursor_in(at)

    def of(self, number: int) -> Callable[[Manifest], Awaitable[str]]:
        """What says the last event of a partition's archive; START for one without any by then.

        It raises NoSuchEnd where the cursor is later than the end, or within a transaction.
        """

        async def end_of(manifest: Manifest) -> str:
            try:
                return await self._end_of(number, manifest)
            except NoSuchEnd as error:
                message = f"Partition {number}: {error}"
                raise NoSuchEnd(message) from None

        return end_of

    async def check(self) -> None:
        """Raises NoSuchEnd where no partition, or not all of them, can be restored up to there."""
        last = max((each.last for each in self._manifests), key=key_of)
        if self._at is not None and self._each is None:
            bound = _milliseconds(self._at)
            if bound > milliseconds_of(last):
                raise _too_late(last, self._at)
        found = [await self.of(number)(each) for number, each in enumerate(self._manifests)]
        if all(each == START for each in found):
            first = min((each.first for each in self._manifests if each.segments), key=key_of)
            raise _too_early(first, self._at or "")

    async def _end_of(self, number: int, manifest: Manifest) -> str:
        if self._at is None:
            return manifest.last
        past = self._pasts[number]
        if self._each is not None:
            position = self._each[number]
            return START if position == START else await last_event(past, manifest, position)
        at = _milliseconds(self._at)
        if not manifest.segments or at < milliseconds_of(manifest.first):
            return START
        if at > milliseconds_of(manifest.last):
            return manifest.last
        return await last_event(past, manifest, self._at, or_none=True)

    def _cursor_in(self, at: str | None) -> Sequence[str] | None:
        """The position in each partition that a cursor says; None for a time."""
        partitions = len(self._manifests)
        if at is None or _is_time(at):
            return None
        cursor = cursor_of(at, partitions) if at.startswith(CURSOR) else None
        if cursor is None:
            message = (
                f"{at!r:.80} says no place in {partitions} partitions: --at takes a time such as "
                "2026-11-23T08:09:06Z, or a cursor, as the feed has them."
            )
            raise NoSuchEnd(message)
        return positions_of(cursor, partitions)


async def last_event(
    past: Past, manifest: Manifest, at: str | None, *, or_none: bool = False
) -> str:
    """The position of the last event up to `at`, a position or a time, or of all. Raises NoSuchEnd.

    Where there is none by then, that is no such end, or with `or_none` START. A transaction is
    whole: one that goes on after a time is not restored, and a position within one is refused.
    Raises PastUnavailable and PastDamaged.
    """
    if at is None:
        return manifest.last
    position = position_of(at)
    bound = position or position_at(_milliseconds(at), LARGEST)
    if key_of(bound) > key_of(manifest.last) and _is_later(bound, manifest.last, position):
        raise _too_late(manifest.last, at)
    names = names_in(manifest)
    end = await past.before_last(names, 0, min(bound, manifest.last, key=key_of))
    around = None if end == START else await transaction_around(past, names, end, manifest.last)
    if around is not None:
        before, last = around
        if position is not None:
            message = (
                f"{at} is within a transaction, which happened as a whole: restore up to {last}, "
                + (f"or to {before}, the last event before it." if before != START else "its end.")
            )
            raise NoSuchEnd(message)
        end = before
    if end == START and not or_none:
        raise _too_early(manifest.first, at)
    return end


async def border_before(
    past: Past, manifest: Manifest, up_to: str, keep_events: int, keep_bytes: int
) -> str:
    """The position up to which the events stay in the archive, START where none does."""
    keep = min(keep_events, _events_within(manifest, up_to, keep_bytes))
    return await past.before_last(names_in(manifest), max(1, keep), up_to)


def names_in(manifest: Manifest) -> list[str]:
    """The collections that an archive has events of."""
    return sorted({name for segment in manifest.segments for name in segment.counts})


def _too_late(last: str, at: str) -> NoSuchEnd:
    return NoSuchEnd(
        f"The archive ends at {last} ({rfc3339(last)}), before {at}: leave --at out to restore all "
        "that it has."
    )


def _too_early(first: str, at: str) -> NoSuchEnd:
    return NoSuchEnd(f"The archive begins at {first} ({rfc3339(first)}), after {at}.")


def _is_time(at: str) -> bool:
    try:
        _milliseconds(at)
    except NoSuchEnd:
        return False
    return True


def _milliseconds(at: str) -> int:
    try:
        found = parse_rfc3339(at)
    except ValueError:
        found = -1
    if found < 0:
        message = (
            "--at takes a position, <milliseconds>-<number>, or a time such as "
            f"2026-11-23T08:09:06Z, {f'not {at!r}' if at else 'and is empty'}."
        )
        raise NoSuchEnd(message)
    return found


def _is_later(bound: str, last: str, position: str | None) -> bool:
    """Whether a bound is after the last event; a time is, where that is of an earlier one."""
    return position is not None or milliseconds_of(bound) > milliseconds_of(last)


def _events_within(manifest: Manifest, up_to: str, most_bytes: int) -> int:
    """About how many of the last events are so many bytes, going by how large segments are."""
    events, left = 0, most_bytes
    for segment in reversed(manifest.segments):
        if key_of(segment.first) > key_of(up_to):
            continue
        if segment.raw_bytes > left:
            return events + segment.events * left // segment.raw_bytes
        events, left = events + segment.events, left - segment.raw_bytes
    return events
