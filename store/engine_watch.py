"""Whether the engine is there, looked at once a second, so that the log says when it is not.

What requests see of it is in their answers. This is for the operator: that it is lost, that it is
back and after how long, and that another node has taken over, each once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic

from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.all_logs import last_positions
from itemstore.store.nodes import node_of
from itemstore.store.store import Store

LOOK = 1.0
"""Seconds between two looks."""

Numbers = list[int]
"""Those of partitions."""

logger = logging.getLogger(__name__)


class EngineWatch:
    """What one process sees of the engine of a store, or of the nodes of its partitions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_several = len(store.sections) > 1
        self._lost: dict[int, float] = {}
        self._nodes: dict[int, str] = {}

    async def keep_watching(self) -> None:
        """Looks once a second, until it is cancelled."""
        partitions = [section.partition for section in self._store.sections]
        while True:
            seen: Sequence[str | Exception]
            try:
                seen = await last_positions(partitions)
            except (LogUnavailable, LogBroken) as error:
                seen = [error] * len(partitions)
            away = {n: each for n, each in enumerate(seen) if isinstance(each, LogUnavailable)}
            self._note_lost(away)
            self._note_there([number for number in range(len(seen)) if number not in away])
            await asyncio.sleep(LOOK)

    def _note_lost(self, away: dict[int, LogUnavailable]) -> None:
        lost: dict[str | None, Numbers] = {}
        for number in away.keys() - self._lost.keys():
            self._lost[number] = monotonic()
            lost.setdefault(self._nodes.get(number), []).append(number)
        for node, numbers in lost.items():
            told = {**self._of(node, numbers), "reason": str(away[numbers[0]])}
            logger.error("The engine is lost", extra=told)

    def _note_there(self, there: Numbers) -> None:
        back: dict[str | None, Numbers] = {}
        moved: dict[tuple[str, str], Numbers] = {}
        for number in there:
            node, before = node_of(self._store, number), self._nodes.get(number)
            if number in self._lost:
                back.setdefault(node, []).append(number)
            if node is not None:
                self._nodes[number] = node
                if before is not None and before != node:
                    moved.setdefault((before, node), []).append(number)
        for (before, node), numbers in moved.items():
            told = {**self._of(node, numbers), "before": before}
            logger.warning("Another node has taken over", extra=told)
        for of, numbers in back.items():
            since = min(self._lost.pop(number) for number in numbers)
            told = {**self._of(of, numbers), "seconds": round(monotonic() - since, 3)}
            logger.warning("The engine is back", extra=told)

    def _of(self, node: str | None, numbers: Numbers) -> dict[str, object]:
        """The node, and which of several partitions it has, as the log names them."""
        several = {"partitions": ",".join(map(str, sorted(numbers)))} if self._has_several else {}
        return {"node": node, **several}
