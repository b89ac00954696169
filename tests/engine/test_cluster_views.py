"""What the nodes of a cluster say of it, read; what is believed; and who is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from redis import exceptions

from itemstore.engine.address import Address, written
from itemstore.engine.cluster.topology import LOOK_SECONDS, Topology
from itemstore.engine.cluster.views import SeenNode, View, merged, owner, view_of

ASKED = ("10.0.0.1", 7001)

SLOTS = [
    [0, 99, [b"", 7001, b"a", []], [b"10.0.0.4", 7004, b"d", []]],
    [100, 199, [b"b.example", 7002, b"b", [b"ip", b"10.0.0.2"]]],
    [300, 399, [None, 7001, b"a", []]],
]

NODES = """\
a 10.0.0.1:7001@17001 myself,master - 0 1 5 connected 0-99 300-399
b 10.0.0.2:7002@17002,b.example master - 0 1 7 connected 100-199 [150->-c]
d 10.0.0.4:7004@17004,,tls-port=0,shard-id=1 slave a 0 1 5 connected
e ::1:7005@17005 master,fail? - 0 1 2 connected
f :0@0 master,noaddr - 0 1 1 disconnected
g 10.0.0.7:7007@17007 handshake - 0 0 0 connected
"""


def test_what_a_node_says_is_read() -> None:
    """With the addresses that clients are to use, its own where it names no host."""
    view = view_of(ASKED, SLOTS, NODES)
    assert view == {
        "a": SeenNode("a", ASKED, frozenset({"master"}), None, 5, ((0, 99), (300, 399))),
        "b": SeenNode("b", ("b.example", 7002), frozenset({"master"}), None, 7, ((100, 199),)),
        "d": SeenNode("d", ("10.0.0.4", 7004), frozenset({"slave"}), "a", 5),
        "e": SeenNode("e", ("::1", 7005), frozenset({"master", "fail?"}), None, 2),
    }
    assert [owner(view, slot) for slot in (0, 99, 100, 200, 399)] == [
        *(ASKED, ASKED, ("b.example", 7002), None, ASKED)
    ]


def test_a_node_that_says_less_is_read_too() -> None:
    """Rented ones may keep CLUSTER NODES to themselves."""
    view = view_of(ASKED, SLOTS, None)
    assert view["a"] == SeenNode("a", ASKED, slots=((0, 99), (300, 399)))
    assert view["d"] == SeenNode("d", ("10.0.0.4", 7004), primary="a")


def test_an_address_is_written_as_in_a_url() -> None:
    """Also of version 6."""
    assert written(("h", 1)) == "h:1"
    assert written(("::1", 1)) == "[::1]:1"


def node(name: str, epoch: int, *slots: tuple[int, int], primary: str | None = None) -> SeenNode:
    """A node whose address is its name."""
    return SeenNode(name, (name, 1), primary=primary, epoch=epoch, slots=slots)


def view(*nodes: SeenNode) -> View:
    """What somebody sees."""
    return {each.id: each for each in nodes}


def test_slots_that_two_claim_are_those_of_the_larger_epoch() -> None:
    """A primary that was cut off and one that took its place, whoever is heard first."""
    old = view(node("a", 3, (0, 99)), node("b", 3, primary="a"))
    new = view(node("a", 4, primary="b"), node("b", 4, (0, 99)))
    for views in ([old, new], [new, old], [old, old, new]):
        believed = merged(views)
        assert owner(believed, 7) == ("b", 1)
        assert believed["a"].primary == "b"


def test_where_all_are_of_one_epoch_most_are_believed() -> None:
    """As where none of them says its epoch."""
    one, other = view(node("a", 0, (0, 99))), view(node("a", 0, (0, 49)))
    assert merged([one, other, other])["a"].slots == ((0, 49),)


class Nodes:
    """Nodes that are asked, and what each says; None where it hangs."""

    def __init__(self, says: dict[str, View | None]) -> None:
        self.says = says
        self.asked: list[str] = []

    async def ask(self, address: Address) -> View:
        """What the node at an address says."""
        self.asked.append(address[0])
        if address[0] not in self.says:
            raise exceptions.ConnectionError
        said = self.says[address[0]]
        if said is None:
            await asyncio.sleep(60)
        assert said is not None
        return said


BEFORE = view(node("a", 1, (0, 99)), node("b", 1, primary="a"), node("c", 2, (100, 199)))
AFTER = view(node("a", 1), node("b", 3, (0, 99)), node("c", 2, (100, 199)))


@pytest.fixture
def nodes() -> Nodes:
    """Three nodes that agree."""
    return Nodes(dict.fromkeys("abc", BEFORE))


@pytest.fixture
def topology(nodes: Nodes) -> Topology:
    """A cluster whose URL names the first of them."""
    return Topology(nodes.ask, ("a", 1))


async def found(topology: Topology, slots: Sequence[int]) -> list[str]:
    """Who has some slots."""
    return [(await topology.find(slot))[0] for slot in slots]


async def test_nobody_is_asked_again_as_long_as_nothing_is_in_doubt(
    nodes: Nodes, topology: Topology
) -> None:
    """The first look asks the one of the URL, and then all that it names."""
    assert await found(topology, [0, 100, 0, 199]) == ["a", "c", "a", "c"]
    assert sorted(nodes.asked) == ["a", "a", "b", "c"]


async def test_one_look_is_for_all_that_wait(nodes: Nodes, topology: Topology) -> None:
    """However many doubt the same node at once."""
    await topology.find(0)
    nodes.says = dict.fromkeys("abc", AFTER)
    nodes.asked.clear()
    topology.doubt(("a", 1))
    assert set(await asyncio.gather(*(topology.find(0) for _ in range(50)))) == {("b", 1)}
    assert sorted(nodes.asked) == ["a", "b", "c"]


async def test_what_moved_says_holds_at_once(nodes: Nodes, topology: Topology) -> None:
    """Until the next look, also where nobody has heard of that node before."""
    await topology.find(0)
    nodes.asked.clear()
    topology.moved(0, ("d", 1))
    assert await found(topology, [0, 1]) == ["d", "a"]
    assert nodes.asked == []


async def test_a_node_that_hangs_holds_up_no_look_of_the_others(
    nodes: Nodes, topology: Topology
) -> None:
    """Where more than half answer, what they say is enough."""
    await topology.find(0)
    nodes.says = {"a": None, "b": AFTER, "c": AFTER}
    topology.doubt(("a", 1))
    async with asyncio.timeout(LOOK_SECONDS):
        assert await found(topology, [0]) == ["b"]
    assert topology.answered == {("b", 1), ("c", 1)}


async def test_the_cluster_is_found_by_nodes_that_it_once_had(
    nodes: Nodes, topology: Topology
) -> None:
    """And not by one that belongs to another cluster now."""
    topology.moved(0, ("z", 1))
    topology.moved(0, ("y", 1))
    topology.doubt(("y", 1))
    await topology.find(0)
    nodes.says = {"y": view(node("other", 9, (0, 199))), "z": AFTER}
    topology.doubt(("a", 1))
    assert await found(topology, [0]) == ["b"]


async def test_where_nobody_answers_that_is_told_and_asked_again_later(
    nodes: Nodes, topology: Topology
) -> None:
    """What was known stays known."""
    await topology.find(0)
    nodes.says = {}
    topology.doubt(("a", 1))
    with pytest.raises(exceptions.ConnectionError):
        await topology.find(0)
    assert await found(topology, [100]) == ["c"]
    nodes.says = dict.fromkeys("bc", AFTER)
    assert await found(topology, [0]) == ["b"]


async def test_a_slot_that_no_node_has_is_told(topology: Topology) -> None:
    """As a cluster does."""
    with pytest.raises(exceptions.ClusterDownError):
        await topology.find(200)
