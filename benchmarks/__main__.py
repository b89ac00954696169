"""Measures the store against what a user would write instead."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks.compare import commits
from benchmarks.contestants import CONTESTANTS
from benchmarks.cores import UNPINNED, cores, with_engine_free
from benchmarks.document import README, draw, fill
from benchmarks.drive import NoLoadGenerator, check_wrk
from benchmarks.marks import speed
from benchmarks.measure import Plan, measure
from benchmarks.record import record, save
from benchmarks.report import markdown
from benchmarks.workloads import QUICK, WORKLOADS, Layout, Workload


def main() -> None:
    """Runs what the command line asks for."""
    options = _parser().parse_args()
    if options.report:
        print(markdown(json.loads(options.report.read_text())))
        return
    try:
        check_wrk()
    except NoLoadGenerator as error:
        sys.exit(str(error))
    _run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three workloads, about a minute")
    parser.add_argument(
        "--workload",
        action="append",
        choices=[each.name for each in WORKLOADS],
        help="one workload; again for more",
    )
    parser.add_argument("--rounds", type=int, help="how often each is measured (5; quick: 2)")
    parser.add_argument("--seconds", type=int, help="for each measurement (2; quick: 1)")
    parser.add_argument(
        "--tries",
        type=int,
        default=3,
        help="take a measurement again, at most this often, when other programs were busy",
    )
    parser.add_argument(
        "--compare",
        nargs="+",
        metavar="COMMIT",
        help="measure ours alone, as two commits have it: the second is HEAD unless named, "
        "and . is this checkout as it is",
    )
    parser.add_argument(
        "--docs", action="store_true", help="put the report and the plot into docs/ and README.md"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="show kept results again")
    return parser


def _workloads(options: argparse.Namespace) -> Sequence[Workload]:
    if options.workload:
        return [each for each in WORKLOADS if each.name in options.workload]
    return QUICK if options.quick else WORKLOADS


def _run(options: argparse.Namespace) -> None:
    layouts = {
        Layout.SHARED: cores(),
        Layout.ENGINE_FREE: with_engine_free(),
        Layout.UNPINNED: UNPINNED,
    }
    compared: Sequence[str] = options.compare or []
    if len(compared) == 1:
        compared = [*compared, "HEAD"]
    with commits(compared) if compared else nullcontext(CONTESTANTS) as contestants:
        plan = Plan(
            contestants,
            _workloads(options),
            layouts,
            rounds=options.rounds or (2 if options.quick else 5),
            seconds=options.seconds or (1 if options.quick else 2),
            tries=options.tries,
        )
        results = record(plan, *measure(plan))
    report = markdown(results)
    print(report)
    print(f"\nResults: {save(results, 'compare' if compared else 'all')}", file=sys.stderr)
    if options.docs:
        fill("measured", report)
        fill("speed", speed(results), README, inline=True)
        draw(results)


if __name__ == "__main__":
    main()
