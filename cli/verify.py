"""`itemstore verify`: the log folded, and compared with everything that is derived from it."""

from __future__ import annotations

from json import dumps

import typer

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import Collections, Json
from itemstore.cli.output import say, write_text
from itemstore.cli.verb import Where, verb_with
from itemstore.logs.terminal_text import escaped_lines


@verb_with("projections", "sql_url", tells_interruption=True)
async def verify(
    where: Where,
    collection: Collections = None,
    json: Json = False,
) -> None:
    """Compare the log with all projections, and read its archive. Exit code 1 on any difference."""
    from itemstore.cli.opening import opened
    from itemstore.cli.progress import reported
    from itemstore.cli.verdicts import told
    from itemstore.store.projections import projections_of
    from itemstore.store.verify import NotVerified, Verifying

    async with opened(where) as store:
        compared = projections_of(store.settings, store.collections)
        try:
            with reported(quiet=json) as report:
                found = await Verifying(store, compared, collection).run(report)
        except Interrupted as interruption:
            interruption.tell("Interrupted; nothing was changed.")
            raise
        except NotVerified as error:
            raise Stop(str(error)) from None
        if json:
            write_text(dumps(found.as_dict()))
        elif found.verdicts.are_unread:
            raise Stop("\n".join(found.verdicts.in_archive))
        else:
            write_text(escaped_lines(told(found.verdicts)))
        if found.end.sentence is not None:  # no difference, but somebody should know
            say(found.end.sentence)
    raise typer.Exit(0 if found.verdicts.whole.clean else 1)
