"""`itemstore info`: the engine, its durability, the sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from json import dumps
from typing import Any

import typer

from itemstore.cli.options import Collections, Json
from itemstore.cli.output import say, write_text
from itemstore.cli.verb import Where, verb
from itemstore.logs.terminal_text import escaped

_WORDS = {
    "events": "events",
    "items": "items",
    "deleted_items": "deleted",
    "log_bytes": "bytes of log",
    "rows_bytes": "bytes of rows",
}
"""What is said of one of several collections."""


@verb
async def info(where: Where, collection: Collections = None, json: Json = False) -> None:
    """Show the engine, its durability and the sizes. Exit code 1 where something is wrong."""
    from itemstore.cli.opening import opened
    from itemstore.store.facts import facts_of
    from itemstore.store.own_projections import own_projections

    async with opened(where, partly=True) as store:
        facts = await facts_of(store, store.chosen(collection))
        if (own := await own_projections(store)) is not None:
            facts["projections"] = own
    wrong = facts.get("wrong", ())
    if json:
        write_text(dumps(facts))
    else:
        for line in _lines(facts):
            write_text(escaped(line))
        for sentence in wrong:
            say(sentence)
    raise typer.Exit(1 if wrong else 0)


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """A fact a line, and a line for each of several collections, with its sizes.

    And one for each node, and for each reason why partitions take no write.
    """
    for name, value in facts.items():
        if name == "wrong":  # it goes to stderr
            continue
        if name == "partitions":
            yield from _partitions(value)
        elif name in _SEVERAL and not isinstance(value, str):
            yield from _SEVERAL[name](value or ())
        else:
            yield f"{name:<16}{'unknown' if value is None else value}"


def _nodes(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        yield f"{'node':<16}{_node(node)}"


def _collections(collections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for collection, sizes in collections.items():
        yield f"{'/' + collection:<15} {', '.join(_sizes(sizes))}"


def _not_named(counts: Mapping[str, int]) -> Iterator[str]:
    for collection, count in counts.items():
        yield f"{'/' + collection:<15} {count} events; the settings do not name it"


def _projections(each: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in each:
        yield f"{'projection':<16}{_projection(one)}"


def _projection(told: Mapping[str, Any]) -> str:
    """What is said of a projection of the operator's own that handles events."""
    of = f"{told['projection']} of /{told['collection']}"
    if told["state"] is None:
        return f"{of}: {told['reason']}"
    waits = told["reason"] and f" at {told['failing']}: {told['reason']}"
    letters = f", {told['dead_letters']} set aside" if told["dead_letters"] else ""
    return f"{of}: {told['state']}, {told['lag']} events behind{letters}{waits or ''}"


def _sizes(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, words in _WORDS.items():
        yield f"{'unknown' if facts[name] is None else facts[name]} {words}"


def _partitions(partitions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    closed: dict[str, list[int]] = {}
    for each in partitions:
        if not each["writable"]:
            closed.setdefault(each["reason"], []).append(each["partition"])
    count = sum(map(len, closed.values()))
    says = "all take writes" if not count else f"{count} of them take no write now"
    counts = [each["events"] for each in partitions if each["events"] is not None]
    sizes = f"; {_from_to(min(counts), max(counts))} events in each" if counts else ""
    yield f"{'partitions':<16}{len(partitions)}, {says}{sizes}"
    for reason, numbers in closed.items():
        yield f"{'  no write':<16}{', '.join(map(str, numbers))}: {reason}"


def _from_to(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"


def _node(node: Mapping[str, Any]) -> str:
    said = f"{node['node']}, {node['role']}"
    if node["primary"]:
        said += f" of {node['primary']}"
    states = {*node["flags"]} & {"fail", "fail?"}
    if not node["reachable"]:
        states.add("does not answer")
    said = ", ".join([said, *sorted(states)])
    if node["partitions"]:
        said += f": partitions {', '.join(map(str, node['partitions']))}"
    return said


_SEVERAL: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "nodes": _nodes,
    "collections": _collections,
    "not_named": _not_named,
    "projections": _projections,
}
"""What says a fact that has several lines."""
