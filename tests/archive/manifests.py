"""Segments and indexes for manifests, without the files that they tell of."""

from __future__ import annotations

from itemstore.archive.manifest import INDEXES, SEGMENTS, SUFFIX, IndexInfo, Place, SegmentInfo


def segment(first: int, last: int) -> SegmentInfo:
    """A segment of one event a millisecond, all of `items`."""
    events = last - first + 1
    return SegmentInfo(
        name=f"{SEGMENTS}{first}-0_{last}-0_aa{SUFFIX}",
        first=f"{first}-0",
        last=f"{last}-0",
        events=events,
        bytes=10 * events,
        raw_bytes=100 * events,
        sha256="0" * 64,
        directory=Place(9 * events, events),
        counts={"items": events},
    )


def index(first: int, last: int) -> IndexInfo:
    """The index of such a segment."""
    return IndexInfo(
        name=f"{INDEXES}{first}-0_{last}-0_aa{SUFFIX}",
        first=f"{first}-0",
        last=f"{last}-0",
        events=last - first + 1,
        bytes=10,
        raw_bytes=100,
        sha256="0" * 64,
        directory=Place(9, 1),
        first_item=("items", "a"),
        last_item=("items", "z"),
    )
