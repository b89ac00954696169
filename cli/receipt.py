"""`itemstore rebuild`: a projection again from the log, while the store goes on."""

from __future__ import annotations

import json

from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.output import say, write_text
from itemstore.cli.progress import reported
from itemstore.cli.terminal_text import escaped_lines
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.lease import LeaseLost
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.rebuild.receipt import Receipt
from itemstore.projections.rebuild.run import named, rebuild
from itemstore.store.store import Store


async def rebuild_projection(
    store: Store, projection: str, *, dry_run: bool, as_json: bool
) -> None:
    """Rebuilds and prints the receipt. Raises Stop where it can't."""
    with reported(quiet=as_json) as report:
        try:
            receipt = await rebuild(
                store.partition,
                named(projection, BUILT_IN),
                dry_run=dry_run,
                report=report,
                disk=store.disk,
            )
        except Interrupted:
            say(f"Interrupted; {projection} is as it was. Run it again to rebuild it.")
            raise
        except (RebuildRefused, LeaseLost) as error:
            raise Stop(str(error)) from None
    write_text(json.dumps(receipt.as_dict()) if as_json else escaped_lines(_told(receipt)))


def _told(receipt: Receipt) -> str:
    found = receipt.findings
    total = sum(found.different.values())
    counted = "numbers" if "numbers" in found.different else "items"
    lines = [
        f"{'Would rebuild' if receipt.dry_run else 'Rebuilt'} {receipt.projection}",
        f"  events     {found.events:,} ({found.first or 'none'} to {found.last or 'none'})",
        f"  {counted:<9}  {found.items:,}",
        f"  took       {receipt.seconds:.2f} s, {receipt.rate:,} events/s",
        f"  digest     {found.digest_after}",
    ]
    if found.digest_before != found.digest_after:
        lines.append(f"  before     {found.digest_before}")
    if found.skipped:
        lines.append(f"  skipped    {found.skipped:,} entries of the log that are not events")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.different.items() if count)
    lines.append(f"  different  {kinds or 'nothing'}")
    if total:
        lines.append(f"  such as    {', '.join(found.examples)}")
    return "\n".join(lines)
