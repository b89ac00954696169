"""`itemstore verify`: the log folded, and compared with everything that is derived from it."""

from __future__ import annotations

from json import dumps

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Collections, Json, Projections, SqlUrl
from itemstore.cli.output import say, write_text
from itemstore.cli.terminal_text import escaped_lines
from itemstore.cli.verb import Where, verb


@verb
async def verify(
    where: Where,
    collection: Collections = None,
    json: Json = False,
    projections: Projections = None,
    sql_url: SqlUrl = None,
) -> None:
    """Compare the log with all projections, and read its archive; exit code 1 on any difference."""
    from itemstore.cli.archive_check import complaints
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.cli.verdicts import Verdicts, unread_verdict
    from itemstore.engine.errors import LogBroken
    from itemstore.eventlog.past import PastDamaged
    from itemstore.eventlog.readiness import log_end
    from itemstore.projections.projection import follows
    from itemstore.projections.verify.run import verify as compare
    from itemstore.store.projections import projections_of

    async with opened({**where, "projections": projections, "sql_url": sql_url}) as store:
        compared = projections_of(store.settings, store.collections)
        chosen, name = store.chosen(collection), ""
        found, in_archive = {}, list[str]()
        with reported(quiet=json) as report:
            try:
                in_archive = await complaints(store, report)
                for name, each in chosen.items():
                    own = [one for one in compared if follows(one, name)]
                    found[name] = await compare(each.partition, own, report=report)
            except Interrupted:
                say("Interrupted; nothing was changed.")
                raise
            except PastDamaged as error:
                in_archive = in_archive or [str(error)]
                if not json:
                    raise Stop("\n".join(in_archive)) from None
                unread = unread_verdict("the archive is damaged")
                found |= {each: unread for each in chosen if each not in found}
            except LogBroken as error:
                raise Stop(f"/{name}: {error}" if len(chosen) > 1 else str(error)) from None
        verdicts = Verdicts(
            found, {each.name for each in compared}, in_archive, is_named=bool(collection)
        )
        end = await log_end(store.partition.client, verdicts.whole.position)
        if json:
            write_text(dumps(verdicts.as_dict() | {"ahead_seconds": end.ahead_seconds}))
        else:
            write_text(escaped_lines(verdicts.told()))
        if end.sentence is not None:  # no difference, but somebody should know
            say(end.sentence)
    raise typer.Exit(0 if verdicts.whole.clean else 1)
