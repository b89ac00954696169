"""What the nodes of a cluster say of it, read; and what holds where they do not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from itemstore.engine.address import Address

Ranges = tuple[tuple[int, int], ...]
"""Slots: the first and the last of each range."""


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node as another one, or itself, sees it.

    `epoch` is the number of the configuration by which it has its slots: where two nodes claim the
    same one, the cluster itself believes the larger. `primary` is the id of the one that it is a
    replica of; None for a primary.
    """

    id: str
    address: Address
    flags: frozenset[str] = frozenset()
    primary: str | None = None
    epoch: int = 0
    slots: Ranges = ()


View = Mapping[str, SeenNode]
"""The nodes by their ids, as one of them sees them."""


def view_of(asked: Address, slots: Sequence[Any], nodes: str | None) -> View:
    """What a node says: its replies to CLUSTER SLOTS, and to CLUSTER NODES where it answers that.

    The addresses are those of CLUSTER SLOTS, which says them as clients are to use them.
    """
    seen = {each.id: each for line in (nodes or "").splitlines() if (each := _of_line(asked, line))}
    ranges: dict[str, Ranges] = {}
    for first, last, primary, *replicas in slots:
        owner = _text(primary[2])
        ranges[owner] = (*ranges.get(owner, ()), (int(first), int(last)))
        for each in (primary, *replicas):
            name, address = _text(each[2]), (_host(_text(each[0]), asked), int(each[1]))
            known = seen.get(name)
            if known is None:
                known = SeenNode(name, address, primary=None if each is primary else owner)
            seen[name] = replace(known, address=address)
    return {name: replace(each, slots=ranges.get(name, ())) for name, each in seen.items()}


def merged(views: Iterable[View]) -> View:
    """What the cluster believes, going by what several of its nodes say.

    Of each node what is said under the largest epoch, and by most. Slots that more than one claims
    are the one's with the largest epoch.
    """
    said: dict[str, Counter[SeenNode]] = {}
    for view in views:
        for name, node in view.items():
            said.setdefault(name, Counter())[node] += 1
    believed = {
        name: max(nodes, key=lambda node: (node.epoch, nodes[node])) for name, nodes in said.items()
    }
    return dict(sorted(believed.items(), key=lambda each: -each[1].epoch))


def owner(view: View, slot: int) -> Address | None:
    """The address of the node that has a slot; None where none has it."""
    for node in view.values():  # the largest epoch is first
        if any(first <= slot <= last for first, last in node.slots):
            return node.address
    return None


def _of_line(asked: Address, line: str) -> SeenNode | None:
    """A line of CLUSTER NODES; None for a node whose address is not known."""
    name, where, flags, primary, _, _, epoch, *_ = line.split()
    place = where.partition(",")[0].partition("@")[0]  # ip:port@bus,hostname
    host, _, port = place.rpartition(":")
    all_flags = frozenset(flags.split(","))
    if all_flags & {"noaddr", "handshake"}:
        return None
    return SeenNode(
        name,
        (_host(host, asked), int(port)),
        all_flags - {"myself"},
        None if primary == "-" else primary,
        int(epoch),
    )


def _host(host: str, asked: Address) -> str:
    """Where a node names no host it means its own, by which it was asked."""
    return asked[0] if host in {"", "?"} else host


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else (value or "")
