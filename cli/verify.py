"""`itemstore verify`: the log folded, and compared with everything that is derived from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from itemstore.cli.interruption import Interrupted
from itemstore.cli.output import say, write_text
from itemstore.cli.progress import reported
from itemstore.cli.terminal_text import escaped_lines
from itemstore.eventlog.writable import log_end
from itemstore.projections.registered import FOLLOWING
from itemstore.projections.verify import Verdict, verify
from itemstore.store.store import Store


async def verify_store(store: Store, *, as_json: bool) -> bool:
    """Whether everything is what the log says; prints the verdict."""
    with reported(quiet=as_json) as report:
        try:
            verdict = await verify(store.partition, report=report)
        except Interrupted:
            say("Interrupted; nothing was changed.")
            raise
    end = await log_end(store.partition.client, verdict.position)
    if as_json:
        write_text(json.dumps(verdict.as_dict() | {"ahead_seconds": end.ahead_seconds}))
    else:
        write_text(escaped_lines(_told(verdict)))
    if end.sentence is not None:  # no difference, but somebody should know
        say(end.sentence)
    return verdict.clean


def _told(verdict: Verdict) -> str:
    lines = [
        f"Verified {verdict.events:,} events up to {verdict.position}, {verdict.items:,} items",
        f"  digest     {verdict.digest}",
    ]
    if verdict.clean:
        return "\n".join([*lines, "  different  nothing"])
    counted = ", ".join(f"{count:,} {where}" for where, count in verdict.counted.items())
    lines.append(f"  different  {counted}")
    lines += [f"  {difference}" for difference in verdict.differences]
    return "\n".join([*lines, *_advice(verdict.counted)])


def _advice(counted: Mapping[str, int]) -> Iterator[str]:
    """What to do about differences, by where they are."""
    following = {each.name for each in FOLLOWING}
    if counted.keys() - following - {"log"}:
        yield "`itemstore rebuild` makes the current items again from the log."
    for name in sorted(counted.keys() & following):
        yield f"`itemstore rebuild {name}` makes {name} again from the log."
    if "log" in counted:
        yield "What is wrong in the log itself no rebuild mends: a backup has what was there."
