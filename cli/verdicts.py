"""The verdicts of a verification, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from itemstore.projections.verdict import SHOWN, Verdict
from itemstore.store.verdicts import Verdicts


def told(verdicts: Verdicts) -> str:
    """A block for each collection, and one for all where there are several."""
    if len(verdicts.each) == 1:
        [(name, verdict)] = verdicts.each.items()
        option = f" --collection {name}" * verdicts.is_named
        said = _lines(verdicts, verdict, verdicts.whole.counted, "", option)
        return "\n".join([*said, *_lines_of_archive(verdicts)])
    lines: list[str] = []
    for name, verdict in verdicts.each.items():
        option = f" --collection {name}"
        lines += _lines(verdicts, verdict, verdict.counted, f" of /{name}", option)
    whole = verdicts.whole
    lines.append(f"All {len(verdicts.each)} collections: {whole.events:,} events")
    lines.append(f"  digest     {whole.digest}")
    lines.append(f"  different  {_counted(whole.counted)}")
    return "\n".join([*lines, *_lines_of_archive(verdicts)])


def _lines_of_archive(verdicts: Verdicts) -> Iterator[str]:
    if verdicts.in_archive:
        yield "The archive is damaged:"
        for sentence in verdicts.in_archive[:SHOWN]:
            yield f"  {sentence}"
        yield "Put the files back as they were: the bucket's versions or a copy has them."


def _lines(
    verdicts: Verdicts, verdict: Verdict, counted: Mapping[str, int], of: str, option: str
) -> Iterator[str]:
    events = f"{verdict.events:,} events{of} up to {verdict.last}"
    partitions = f", {len(verdict.partitions)} partitions" if verdict.partitions else ""
    yield f"Verified {events}, {verdict.items:,} items{partitions}"
    yield f"  digest     {verdict.digest}"
    yield f"  different  {_counted(counted)}"
    for difference in verdict.differences:
        yield f"  {difference}"
    for name, reason in verdict.not_compared.items():
        yield f"  {name} was not compared: {reason}"
    yield from _advice(verdicts, verdict.counted, option)


def _advice(verdicts: Verdicts, counted: Mapping[str, int], option: str) -> Iterator[str]:
    """What to do about differences, by where they are: a projection of ours, or others."""
    own = {name for name in counted if name in verdicts.projections}
    if counted.keys() - own - {"log"}:
        yield f"`itemstore rebuild{option}` rebuilds the current items from the log."
    for name in sorted(own):
        yield f"`itemstore rebuild {name}{option}` rebuilds {name} from the log."
    if "log" in counted:
        yield "No rebuild mends what is wrong in the log itself: restore a backup."


def _counted(counted: Mapping[str, int]) -> str:
    """How many differences there are, by where they are."""
    return ", ".join(f"{count:,} {where}" for where, count in counted.items()) or "nothing"
