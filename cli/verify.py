"""`itemstore verify`: the log folded, and compared with everything that is derived from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps

import typer

from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Json, Projections
from itemstore.cli.output import say, write_text
from itemstore.cli.terminal_text import escaped_lines
from itemstore.cli.verb import Where, verb
from itemstore.projections.verdict import Verdict


@verb
async def verify(where: Where, json: Json = False, projections: Projections = None) -> None:
    """Compare the log with all projections; exit code 1 on any difference."""
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.eventlog.readiness import log_end
    from itemstore.projections.verify.run import verify as compare
    from itemstore.store.projections import named_projections

    async with opened({**where, "projections": projections}) as store:
        compared = named_projections(store.settings.projections)
        with reported(quiet=json) as report:
            try:
                verdict = await compare(store.partition, compared, report=report)
            except Interrupted:
                say("Interrupted; nothing was changed.")
                raise
        end = await log_end(store.partition.client, verdict.position)
        if json:
            write_text(dumps(verdict.as_dict() | {"ahead_seconds": end.ahead_seconds}))
        else:
            write_text(escaped_lines(_told(verdict, {each.name for each in compared})))
        if end.sentence is not None:  # no difference, but somebody should know
            say(end.sentence)
    raise typer.Exit(0 if verdict.clean else 1)


def _told(verdict: Verdict, names: set[str]) -> str:
    lines = [
        f"Verified {verdict.events:,} events up to {verdict.position}, {verdict.items:,} items",
        f"  digest     {verdict.digest}",
    ]
    if verdict.clean:
        return "\n".join([*lines, "  different  nothing"])
    counted = ", ".join(f"{count:,} {where}" for where, count in verdict.counted.items())
    lines.append(f"  different  {counted}")
    lines += [f"  {difference}" for difference in verdict.differences]
    return "\n".join([*lines, *_advice(verdict.counted, names)])


def _advice(counted: Mapping[str, int], names: set[str]) -> Iterator[str]:
    """What to do about differences, by where they are: a projection of these names, or others."""
    if counted.keys() - names - {"log"}:
        yield "`itemstore rebuild` rebuilds the current items from the log."
    for name in sorted(counted.keys() & names):
        yield f"`itemstore rebuild {name}` rebuilds {name} from the log."
    if "log" in counted:
        yield "No rebuild mends what is wrong in the log itself: restore a backup."
