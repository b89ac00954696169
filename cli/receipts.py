"""The receipts of a rebuild, those of a collection together, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from itemstore.projections.rebuild.receipt import Receipt, Receipts


def told(receipts: Mapping[str, Receipts]) -> str:
    """What was rebuilt, and what was different before, a fact a line."""
    if len(receipts) == 1:
        return _told(next(iter(receipts.values())), "")
    return "\n".join(_told(receipt, f" of /{name}") for name, receipt in receipts.items())


def _told(receipts: Receipts, of: str) -> str:
    receipt = receipts.whole
    found = receipt.findings
    if not found.digest_after:
        return _handed_over(receipt, of)
    total = sum(found.different.values())
    counted = next((each for each in ("numbers", "tables") if each in found.different), "items")
    counted = "rows" if counted == "tables" else counted
    partitions = "" if None in receipts.of_each else f" in {len(receipts.of_each)} partitions"
    lines = [
        f"{'Would rebuild' if receipt.dry_run else 'Rebuilt'} {receipt.projection}{of}{partitions}",
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
        lines += _where(receipts)
    return "\n".join(lines)


def _handed_over(receipt: Receipt, of: str) -> str:
    """What is said of a projection that hands events over, and keeps nothing."""
    found = receipt.findings
    does = "would hand over" if receipt.dry_run else "hands over"
    events = f"  events     {found.events:,} ({found.first or 'none'} to {found.last or 'none'})"
    return f"{receipt.projection}{of} {does} again\n{events}"


def _where(receipts: Receipts) -> Iterator[str]:
    """In which of several partitions something was different."""
    if None in receipts.of_each:
        return
    differing = [
        str(number)
        for number, each in receipts.of_each.items()
        if any(each.findings.different.values())
    ]
    yield f"  in         partition{'s' * (len(differing) > 1)} {', '.join(differing)}"
