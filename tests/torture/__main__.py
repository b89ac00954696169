"""Faults under traffic, and inputs of all kinds, for some minutes; the exit code says what of it.

All choices derive from the seed, and from what clients are told: what each client asks for, which
fault comes next, each input.
When things happen is up to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.document import fill
from tests.torture import own_network
from tests.torture.checker import check
from tests.torture.cluster_parts import cut_feeds, failovers
from tests.torture.fuzz import quiet
from tests.torture.history import load
from tests.torture.outcome import Outcome, numbers
from tests.torture.parts import ON_A_CLUSTER, PARTS, Part
from tests.torture.report import tables

PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"


def main() -> None:
    """Runs what the command line asks for. Exits with 1 where anything is violated."""
    options = _parser().parse_args()
    quiet()
    if options.check:
        found = check(*load(options.check))
        print("\n".join(map(str, found)) or "no violation")
        sys.exit(1 if found else 0)
    if options.cluster or options.failovers or options.cut_feeds:
        if why_not := own_network.enter():
            print(why_not, file=sys.stderr)
        outcomes = list(_on_a_cluster(options))
    else:
        outcomes = _outcomes(PARTS, options.seed, options.seconds, options.only or list(PARTS))
    report = f"Seed {options.seed}.\n\n{tables(outcomes)}"
    print(f"\n{report}")
    if options.json:
        options.json.write_text(json.dumps([numbers(each) for each in outcomes]))
    if options.document:
        fill("measured", report, PAGE)
    sys.exit(1 if any(outcome.violations for outcome in outcomes) else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=420, help="for all of it (420)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="to do it again")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*PARTS, *ON_A_CLUSTER],
        help="one part; again for more. Those on a cluster with --cluster",
    )
    parser.add_argument("--cluster", action="store_true", help="the parts on a cluster instead")
    parser.add_argument(
        "--failovers",
        type=int,
        metavar="COUNT",
        help="kill so many primaries with replicas:1, and as many without",
    )
    parser.add_argument(
        "--cut-feeds", type=int, metavar="COUNT", help="cut so many live streams on a cluster"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all numbers, for a machine")
    parser.add_argument("--check", type=Path, metavar="FILE", help="check a kept history again")
    parser.add_argument(
        "--document", action="store_true", help="put the numbers into docs/guarantees.md"
    )
    return parser


def _on_a_cluster(options: argparse.Namespace) -> Iterator[Outcome]:
    if options.failovers:
        for durability in ("replicas:1", "fsync"):
            run = failovers(options.seed, options.failovers, durability)
            yield _told(asyncio.run(run))
    if options.cut_feeds:
        yield _told(asyncio.run(cut_feeds(options.seed, options.cut_feeds)))
    if options.cluster:
        names = options.only or list(ON_A_CLUSTER)
        yield from _outcomes(ON_A_CLUSTER, options.seed, options.seconds, names)


def _outcomes(
    parts: Mapping[str, Part], seed: int, seconds: float, names: Sequence[str]
) -> list[Outcome]:
    shares = sum(parts[name].share for name in names)
    outcomes = []
    for name in names:
        given = seconds * parts[name].share / shares
        print(f"{name}: seed {seed}, {given:.0f} seconds", file=sys.stderr, flush=True)
        outcomes.append(_told(parts[name].outcome(seed, given)))
    return outcomes


def _told(outcome: Outcome) -> Outcome:
    """What is wrong, at once: the rest may take long."""
    for violation in outcome.violations:
        print(f"VIOLATION {violation}", file=sys.stderr)
    if outcome.kept:
        print(f"The history is in {outcome.kept}", file=sys.stderr)
    return outcome


if __name__ == "__main__":
    main()
