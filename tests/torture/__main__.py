"""Faults under traffic, and inputs of all kinds, for some minutes; the exit code says what of it.

All choices derive from the seed, and from what clients are told: what each client asks for, which
fault comes next, each input.
When things happen is up to the machine.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.document import fill
from tests.torture.checker import check
from tests.torture.fuzz import quiet
from tests.torture.history import load
from tests.torture.outcome import Outcome, numbers
from tests.torture.parts import PARTS
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
    outcomes = _outcomes(options.seed, options.seconds, options.only or list(PARTS))
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
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; again for more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all numbers, for a machine")
    parser.add_argument("--check", type=Path, metavar="FILE", help="check a kept history again")
    parser.add_argument(
        "--document", action="store_true", help="put the numbers into docs/guarantees.md"
    )
    return parser


def _outcomes(seed: int, seconds: float, names: Sequence[str]) -> list[Outcome]:
    shares = sum(PARTS[name].share for name in names)
    outcomes = []
    for name in names:
        given = seconds * PARTS[name].share / shares
        print(f"{name}: seed {seed}, {given:.0f} seconds", file=sys.stderr, flush=True)
        outcome = PARTS[name].outcome(seed, given)
        outcomes.append(outcome)
        for violation in outcome.violations:
            print(f"VIOLATION {violation}", file=sys.stderr)
        if outcome.kept:
            print(f"The history is in {outcome.kept}", file=sys.stderr)
    return outcomes


if __name__ == "__main__":
    main()
