"""The verdicts on several collections, together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import chain

from itemstore.domain.cursors import furthest
from itemstore.domain.positions import START
from itemstore.projections.verdict import SHOWN, Difference, Verdict

ARCHIVE = "archive"
"""Where a difference is that is none of a collection."""


@dataclass(frozen=True)
class Verdicts:
    """What was found in each collection, and `in_archive` in the archive of all, a sentence each.

    `projections` are the names of those that were compared; `is_named` says that a collection was
    asked for by its name, `are_unread` that the archive is damaged where a log had to be read. The
    store has so many `partitions`.
    """

    each: Mapping[str, Verdict]
    projections: Container[str]
    in_archive: Sequence[str] = ()
    is_named: bool = False
    are_unread: bool = False
    partitions: int = 1

    @cached_property
    def whole(self) -> Verdict:
        """The verdict on all of them together, and on the archive."""
        logs = self._logs
        if not self.in_archive:
            return logs
        damage = [
            Difference(ARCHIVE, "archive", sentence, "as its manifests say")
            for sentence in self.in_archive
        ]
        counted = {ARCHIVE: len(damage)} | logs.counted
        return replace(logs, counted=counted, differences=[*damage, *logs.differences][:SHOWN])

    @cached_property
    def _logs(self) -> Verdict:
        verdicts = [*self.each.values()]
        if len(verdicts) == 1:
            return verdicts[0]
        counted: Counter[str] = Counter()
        for verdict in verdicts:
            counted += Counter(verdict.counted)
        return Verdict(
            digest=_digest(self.each),
            position=furthest((verdict.position for verdict in verdicts), self.partitions),
            events=sum(verdict.events for verdict in verdicts),
            items=sum(verdict.items for verdict in verdicts),
            counted=dict(counted),
            differences=[one for verdict in verdicts for one in verdict.differences][:SHOWN],
            not_compared=dict(
                chain.from_iterable(verdict.not_compared.items() for verdict in verdicts)
            ),
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON: the verdict on the whole, and of several collections that on each by name."""
        whole = self.whole.as_dict()
        if len(self.each) == 1:
            return whole
        differences = [one.as_dict() for one in self.whole.differences if one.where == ARCHIVE] + [
            {"collection": name} | one.as_dict()
            for name, verdict in self.each.items()
            for one in verdict.differences
        ]
        each = {name: verdict.as_dict() for name, verdict in self.each.items()}
        return whole | {"differences": differences[:SHOWN], "collections": each}


def unread_verdict(reason: str) -> Verdict:
    """That on a collection whose log can't be read, and so is compared with nothing."""
    return Verdict("", START, 0, 0, {}, [], {"log": reason})


def _digest(verdicts: Mapping[str, Verdict]) -> str:
    """That of the collections that have events: the SHA-256 of a line for each, with its digest.

    Of a single one it is that one's own: an empty collection beside it changes nothing.
    """
    digests = {name: verdict.digest for name, verdict in sorted(verdicts.items()) if verdict.events}
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    return sha256(lines.encode()).hexdigest()
