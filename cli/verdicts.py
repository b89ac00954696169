"""The verdicts on several collections, together: for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import chain

from itemstore.domain.positions import START, key_of
from itemstore.projections.verdict import SHOWN, Difference, Verdict

ARCHIVE = "archive"
"""Where a difference is that is none of a collection."""


@dataclass(frozen=True)
class Verdicts:
    """What was found in each collection, and `in_archive` in the archive of all, a sentence each.

    `projections` are the names of those that were compared; `is_named` says that a collection was
    asked for by its name.
    """

    each: Mapping[str, Verdict]
    projections: Container[str]
    in_archive: Sequence[str] = ()
    is_named: bool = False

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
            position=max((verdict.position for verdict in verdicts), key=key_of),
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
        differences = [asdict(one) for one in self.whole.differences if one.where == ARCHIVE] + [
            {"collection": name} | asdict(one)
            for name, verdict in self.each.items()
            for one in verdict.differences
        ]
        each = {name: verdict.as_dict() for name, verdict in self.each.items()}
        return whole | {"differences": differences[:SHOWN], "collections": each}

    def told(self) -> str:
        """For people: a block for each collection, and one for all where there are several."""
        if len(self.each) == 1:
            [(name, verdict)] = self.each.items()
            option = f" --collection {name}" * self.is_named
            said = self._lines(verdict, self.whole.counted, "", option)
            return "\n".join([*said, *self._lines_of_archive()])
        lines: list[str] = []
        for name, verdict in self.each.items():
            option = f" --collection {name}"
            lines += self._lines(verdict, verdict.counted, f" of /{name}", option)
        whole = self.whole
        lines.append(f"All {len(self.each)} collections: {whole.events:,} events")
        lines.append(f"  digest     {whole.digest}")
        lines.append(f"  different  {_told(whole.counted)}")
        return "\n".join([*lines, *self._lines_of_archive()])

    def _lines_of_archive(self) -> Iterator[str]:
        if self.in_archive:
            yield "The archive is damaged:"
            for sentence in self.in_archive[:SHOWN]:
                yield f"  {sentence}"
            yield "Put the files back as they were: the bucket's versions or a copy has them."

    def _lines(
        self, verdict: Verdict, counted: Mapping[str, int], of: str, option: str
    ) -> Iterator[str]:
        events = f"{verdict.events:,} events{of} up to {verdict.position}"
        yield f"Verified {events}, {verdict.items:,} items"
        yield f"  digest     {verdict.digest}"
        yield f"  different  {_told(counted)}"
        for difference in verdict.differences:
            yield f"  {difference}"
        for name, reason in verdict.not_compared.items():
            yield f"  {name} was not compared: {reason}"
        yield from self._advice(verdict.counted, option)

    def _advice(self, counted: Mapping[str, int], option: str) -> Iterator[str]:
        """What to do about differences, by where they are: a projection of ours, or others."""
        own = {name for name in counted if name in self.projections}
        if counted.keys() - own - {"log"}:
            yield f"`itemstore rebuild{option}` rebuilds the current items from the log."
        for name in sorted(own):
            yield f"`itemstore rebuild {name}{option}` rebuilds {name} from the log."
        if "log" in counted:
            yield "No rebuild mends what is wrong in the log itself: restore a backup."


def unread_verdict(reason: str) -> Verdict:
    """That on a collection whose log can't be read, and so is compared with nothing."""
    return Verdict("", START, 0, 0, {}, [], {"log": reason})


def _told(counted: Mapping[str, int]) -> str:
    """How many differences there are, by where they are."""
    return ", ".join(f"{count:,} {where}" for where, count in counted.items()) or "nothing"


def _digest(verdicts: Mapping[str, Verdict]) -> str:
    """That of the collections that have events: the SHA-256 of a line for each, with its digest.

    Of a single one it is that one's own: an empty collection beside it changes nothing.
    """
    digests = {name: verdict.digest for name, verdict in sorted(verdicts.items()) if verdict.events}
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    return sha256(lines.encode()).hexdigest()
