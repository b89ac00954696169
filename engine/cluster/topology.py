"""Which node of a cluster has a slot now: asked of all nodes, and again where that is in doubt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

from redis import exceptions

from itemstore.engine.address import Address
from itemstore.engine.cluster.views import View, merged, owner

MOST_ASKED = 16
"""How many nodes are asked at once. That is all of them in most clusters."""

LOOK_SECONDS = 0.4
"""How long they have to answer. All that can answer do so in a few milliseconds."""

ENOUGH_SECONDS = 0.05
"""How long it is waited for those that do not, where more than half have answered."""

REST_SECONDS = 0.05
"""From one look to the next, so that many doubts at once are not many questions."""

MOST_REMEMBERED = 256
"""Addresses that are kept of nodes that are, or once were, of the cluster."""

REFUSALS = (exceptions.AuthenticationError, exceptions.NoPermissionError)
"""What a node says that is there, and will not tell."""

Ask = Callable[[Address], Awaitable[View]]
"""Asks one node for its view. Raises as redis-py does."""


class Topology:
    """What is known of a cluster, whatever becomes of its nodes.

    It is found again from any node that it ever had, and from the one of the URL. One look is for
    all that wait for it.
    """

    def __init__(self, ask: Ask, url: Address) -> None:
        self._ask = ask
        self._url = url
        self._remembered: dict[Address, None] = {}  # in the order in which they were last seen
        self._view: View = {}
        self._owners: dict[int, Address | None] = {}
        self._doubted: set[Address] = set()
        self._looking: asyncio.Task[None] | None = None
        self._rested_at = 0.0
        self._refusal: Exception | None = None
        self.answered: frozenset[Address] = frozenset()

    def known(self, slot: int) -> Address | None:
        """Who had it when that was last heard of; None where nothing is known."""
        try:
            return self._owners[slot]
        except KeyError:
            return self._owners.setdefault(slot, owner(self._view, slot))

    async def find(self, slot: int) -> Address:
        """Who has a slot now. Raises ClusterDownError where no node has it, ConnectionError."""
        found = self.known(slot)
        if found is None or found in self._doubted:
            await self.look()
            found = self.known(slot)
        if found is None:
            message = f"No node of the cluster has slot {slot}."
            raise exceptions.ClusterDownError(message)
        return found

    def doubt(self, address: Address) -> None:
        """Has the next one that looks for this node ask where everything is."""
        self._doubted.add(address)

    def moved(self, slot: int, address: Address) -> None:
        """Notes what a node said of another one. It holds until the next look."""
        self._owners[slot] = address
        self._remember([address])

    async def look(self) -> View:
        """What all nodes say now.

        Raises ConnectionError where none answers, and what one says that refuses to.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_heard)
        await asyncio.shield(self._looking)
        return self._view

    async def aclose(self) -> None:
        """Ends a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        rest = self._rested_at - asyncio.get_running_loop().time()
        if rest > 0:
            await asyncio.sleep(rest)
        self._refusal = None
        now = dict.fromkeys([node.address for node in self._view.values()])
        before = [address for address in self._remembered if address not in now]
        for wave in (_some(now), [self._url], _some(before)):
            views = await self._views(wave)
            if views and not now:  # nothing was known, and one node may be wrong
                all_of_them = merged(views.values()).values()
                views |= await self._views(_some(node.address for node in all_of_them))
            if views:
                self._believe(merged(views.values()), views)
                break
        self._rested_at = asyncio.get_running_loop().time() + REST_SECONDS
        if not views:
            message = "No node of the cluster answers."
            raise self._refusal or exceptions.ConnectionError(message)

    async def _views(self, addresses: Sequence[Address]) -> dict[Address, View]:
        """What nodes say, of those that answer in time.

        But for the one of the URL, what has become of a node of another cluster is not believed.
        """
        if not addresses:
            return {}
        asked = {asyncio.ensure_future(self._ask(address)): address for address in addresses}
        try:
            answered, silent = await asyncio.wait(asked, timeout=ENOUGH_SECONDS)
            if silent and len(answered) <= len(silent):
                await asyncio.wait(silent, timeout=LOOK_SECONDS - ENOUGH_SECONDS)
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        errors = {task: task.exception() for task in asked if not task.cancelled()}
        for error in errors.values():
            if isinstance(error, REFUSALS):
                self._refusal = error
        answers = {asked[task]: task.result() for task, error in errors.items() if error is None}
        return {
            address: view
            for address, view in answers.items()
            if address == self._url or not self._view or self._view.keys() & view.keys()
        }

    def _believe(self, view: View, answers: Iterable[Address]) -> None:
        self._view = view
        self._owners.clear()
        self._doubted.clear()
        self.answered = frozenset(answers)
        self._remember(node.address for node in view.values())

    def _remember(self, addresses: Iterable[Address]) -> None:
        for address in addresses:
            self._remembered.pop(address, None)
            self._remembered[address] = None
        while len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


def _heard(look: asyncio.Task[None]) -> None:
    """Those that waited for it have its error; perhaps nobody did."""
    if not look.cancelled():
        look.exception()


def _some(addresses: Iterable[Address]) -> list[Address]:
    all_of_them = list(addresses)
    return random.sample(all_of_them, min(len(all_of_them), MOST_ASKED))
