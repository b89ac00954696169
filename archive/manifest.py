"""Which files an archive is made of: a manifest names all of them, and the one before it.

A manifest is a JSON object, one line, whose last member is the SHA-256 of what stands before it.
Its members are a storage format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, Self, TypeVar

from pydantic_core import from_json, to_json

from itemstore.domain.positions import START, key_of, position_of

FORMAT = 1
"""What this version writes, and the latest that it reads."""

MANIFESTS, SEGMENTS, INDEXES = "manifests/", "segments/", "indexes/"
"""What the names of the files begin with."""

SUFFIX = ".jsonl.zst"
"""What the names of segments and of indexes end with."""

_NUMBER = re.compile(r"manifests/([0-9]{20})\.json")

_SEAL = b',"sha256":"%b"}\n'


class MalformedManifest(Exception):
    """A file is no manifest that was written so: cut, altered, or of a later version."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a file, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """A segment or an index, of the log's part from a first position to a last one.

    `events` is how many it is about, `raw_bytes` its size without compression, `directory` the
    place of the frame that says where its frames are.
    """

    name: str
    first: str
    last: str
    events: int
    bytes: int
    raw_bytes: int
    sha256: str
    directory: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentInfo(FileInfo):
    """A file of events; `counts` has how many are of each collection."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexInfo(FileInfo):
    """A file that says where the events of items are: a run, or one of the files of a run.

    A run has all items with an event from `first` to `last`. The files of a run follow each other
    in the order of items: each has those from one item to another, by collection and id.
    """

    first_item: tuple[str, str]
    last_item: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All files of an archive at one moment, in the order of their positions.

    `archive` is the archive's id (of one of several partitions, that of the whole, `-` and the
    partition), `log` that of the store's log, `previous` the SHA-256 of the
    file of the manifest before, and `made` a time for people: nothing goes by it.
    """

    number: int
    archive: str
    log: str
    previous: str = ""
    made: str = ""
    segments: tuple[SegmentInfo, ...] = ()
    indexes: tuple[IndexInfo, ...] = ()

    @property
    def name(self) -> str:
        """The name of its file."""
        return manifest_name(self.number)

    @property
    def first(self) -> str:
        """The position of the first event, START where there is none."""
        return self.segments[0].first if self.segments else START

    @property
    def last(self) -> str:
        """The position of the last event, START where there is none."""
        return self.segments[-1].last if self.segments else START

    @property
    def events(self) -> int:
        """How many events there are."""
        return sum(segment.events for segment in self.segments)

    @property
    def size(self) -> int:
        """Bytes of all files that it names."""
        return sum(file.bytes for file in self.files)

    @property
    def files(self) -> tuple[FileInfo, ...]:
        """Segments and indexes."""
        return (*self.segments, *self.indexes)

    @cached_property
    def encoded(self) -> bytes:
        """The content of its file."""
        members = {each.name: getattr(self, each.name) for each in fields(self)}
        begun = to_json({"format": FORMAT} | members).removesuffix(b"}")
        return begun + _SEAL % hashlib.sha256(begun).hexdigest().encode()

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of its file."""
        return hashlib.sha256(self.encoded).hexdigest()

    def followed_by(
        self, segments: Sequence[SegmentInfo], indexes: Sequence[IndexInfo], **changes: str
    ) -> Manifest:
        """The next manifest, with other files; `log` may change too."""
        return replace(
            self,
            number=self.number + 1,
            previous=self.sha256,
            made=now(),
            segments=tuple(segments),
            indexes=tuple(indexes),
            **changes,
        )

    @classmethod
    def decoded(cls, name: str, content: bytes) -> Self:
        """The manifest in a file. Raises MalformedManifest, whose sentence says what is wrong."""
        begun, _, _ = content.rpartition(b',"sha256":"')
        if not begun or begun + _SEAL % hashlib.sha256(begun).hexdigest().encode() != content:
            raise MalformedManifest(f"{name} was cut or altered: its own SHA-256 does not fit.")
        try:
            found = from_json(begun + b"}")
            version = found.pop("format")
            if version != FORMAT:
                raise MalformedManifest(_OTHER_FORMAT.format(name, version))
            segments, indexes = found.pop("segments"), found.pop("indexes")
            manifest = cls(
                **found,
                segments=tuple(_info(SegmentInfo, each) for each in segments),
                indexes=tuple(_info(IndexInfo, each) for each in indexes),
            )
            complaint = _complaint(manifest)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise MalformedManifest(f"{name} is no manifest: {error!r}.") from error
        if manifest.name != name:
            raise MalformedManifest(f"{name} is a copy of manifest {manifest.number}.")
        if complaint:
            raise MalformedManifest(f"{name} contradicts itself: {complaint}.")
        vars(manifest)["encoded"] = content  # so that it need not be made again
        return manifest


_Info = TypeVar("_Info", bound=FileInfo)

_OTHER_FORMAT = (
    "{} was written by another version of itemstore (format {}): read the archive with that one, "
    "or a later one."
)


def manifest_name(number: int) -> str:
    """The name of the file of the manifest with a number."""
    return f"{MANIFESTS}{number:020}.json"


def number_of(name: str) -> int | None:
    """The number of the manifest in a file, None where its name is none of a manifest."""
    match = _NUMBER.fullmatch(name)
    return None if match is None else int(match[1])


def now() -> str:
    """The time, as a manifest has it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _info(kind: type[_Info], members: dict[str, Any]) -> _Info:
    members["directory"] = Place(**members["directory"])
    for name in ("first_item", "last_item"):
        if name in members:
            members[name] = (members[name][0], members[name][1])
    return kind(**members)


def _complaint(manifest: Manifest) -> str:
    for file in manifest.files:
        positions = (file.first, file.last)
        if any(position_of(each) != each for each in positions):
            return f"{file.name} begins or ends at no position"
        if key_of(file.last) < key_of(file.first) or file.events < 1:
            return f"{file.name} has no events"
    for files in (manifest.segments, manifest.indexes):
        for one, other in pairwise(files):
            if not _are_in_order(one, other):
                return f"{other.name} begins before the end of {one.name}"
    for segment in manifest.segments:
        if sum(segment.counts.values()) != segment.events:
            return f"the events of {segment.name} are not those of its collections"
    return ""


def _are_in_order(one: FileInfo, other: FileInfo) -> bool:
    if (
        isinstance(one, IndexInfo)
        and isinstance(other, IndexInfo)
        and (one.first, one.last) == (other.first, other.last)
    ):
        return one.last_item <= other.first_item
    return key_of(one.last) < key_of(other.first)
