"""The pages of the documentation that show what was measured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.marks import OURS
from benchmarks.measure import say
from benchmarks.plot import bars
from benchmarks.record import save
from benchmarks.summaries import summaries
from benchmarks.workloads import PUT

DOCS = Path(__file__).parent.parent / "docs"

README = DOCS.parent / "README.md"


def fill(
    name: str, text: str, page: Path = DOCS / "benchmarks.md", *, inline: bool = False
) -> None:
    """Puts the text between the two comments of that name on a page; inline, within a paragraph."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*{re.escape(end)}", re.DOTALL)
    content = f"{start}{text}{end}" if inline else f"{start}\n\n{text}\n\n{end}"
    page.write_text(pattern.sub(lambda _: content, page.read_text()))


def publish(record: dict[str, Any], name: str, report: str, *, in_docs: bool) -> None:
    """Prints a report, keeps the record that it is of, and puts it on the page if wanted."""
    print(report)
    say(f"\nResults: {save(record, name)}")
    if in_docs:
        fill(name, report)


def draw(record: dict[str, Any]) -> None:
    """Draws the PUTs per second into `docs/benchmarks.svg`."""
    found = summaries(record)
    names = [each["name"] for each in record["contestants"]]
    values = [(name, found[PUT.name, name].rate.median) for name in names]
    title = "PUT per second, 32 connections (median)"
    (DOCS / "benchmarks.svg").write_text(bars(title, values, OURS))
