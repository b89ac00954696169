"""What a run says of batches: items a second, against single PUTs of the same run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.summaries import Spread, spread
from benchmarks.tables import lowest_to_highest, microseconds, milliseconds, table
from benchmarks.workloads import ALONE, BATCHES, PUT, Workload

HEAD = (
    *("", "items/s", "lowest to highest", "÷ PUT", "lowest to highest"),
    *("processor time an item", "of the engine", "p50 of a request"),
)


def batch_tables(record: dict[str, Any]) -> Iterator[str]:
    """A table for each contestant that has batches; nothing where none was measured."""
    for contestant in record["contestants"]:
        for single in (PUT, ALONE):
            yield from _table(record, single, contestant["name"])


def _table(record: dict[str, Any], single: Workload, contestant: str) -> Iterator[str]:
    """Batches beside single PUTs from as many connections."""
    batches = [each for each in BATCHES if each.connections == single.connections]
    measured = [each for each in (single, *batches) if _rounds(record, each, contestant)]
    if single not in measured or measured == [single]:
        return
    connections = "32 connections" if single == PUT else "one connection"
    yield ""
    yield f"**Batches**: PUTs in one `POST /batch`, from {connections}, of {contestant}"
    yield ""
    yield from table(HEAD, [_row(record, each, single, contestant) for each in measured])


def items_a_second(record: dict[str, Any], workload: Workload, contestant: str) -> list[float]:
    """Of each round."""
    return [each["rate"] * workload.items for each in _rounds(record, workload, contestant)]


def _rounds(record: dict[str, Any], workload: Workload, contestant: str) -> list[dict[str, Any]]:
    wanted = (workload.name, contestant)
    return [each for each in record["measured"] if (each["workload"], each["contestant"]) == wanted]


def _row(
    record: dict[str, Any], workload: Workload, single: Workload, contestant: str
) -> list[str]:
    rounds = _rounds(record, workload, contestant)
    rates = items_a_second(record, workload, contestant)
    singles = items_a_second(record, single, contestant)
    by_round = spread(one / other for one, other in zip(rates, singles, strict=True))
    return [
        workload.name,
        f"{spread(rates).median:,.0f}",
        lowest_to_highest(spread(rates)),
        f"{spread(rates).median / spread(singles).median:.2f}",
        lowest_to_highest(by_round, 2),
        microseconds(_an_item(rounds, "server_us", workload)),
        microseconds(_an_item(rounds, "engine_us", workload)),
        milliseconds(spread(each["p50"] for each in rounds).median),
    ]


def _an_item(rounds: list[dict[str, Any]], number: str, workload: Workload) -> Spread | None:
    known = [each[number] / workload.items for each in rounds if each.get(number) is not None]
    return spread(known) if known else None
