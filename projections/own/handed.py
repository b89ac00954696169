"""What projections have in common that hand events to somebody, and keep nothing of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

from itemstore.domain.positions import START
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.fold import Fold
from itemstore.projections.no_check import NoCheck
from itemstore.projections.own.follower import HandedFollower, Terms
from itemstore.projections.own.replay import replayed
from itemstore.projections.own.state import State, begin, states_of
from itemstore.projections.projection import Status
from itemstore.projections.task import Findings, Task

Begin = Literal["now", "start"]
"""With which event a projection begins that is new: the next one, or the first there ever was."""


class Handed:
    """A projection of this kind; a kind says what it is called, what it wants, and to whom."""

    name: str
    begin: Begin

    @property
    @abstractmethod
    def terms(self) -> Terms:
        """What it wants to have handed over."""

    @abstractmethod
    def follower(self, partition: Partition) -> HandedFollower:
        """What hands over the events of a log."""

    async def begin_here(self, partitions: Sequence[Partition]) -> None:
        """Notes where it begins in these logs, where it is new. Raises what the engine does."""
        found = await states_of(partitions, self.name)
        for partition, state in zip(partitions, found, strict=True):
            if isinstance(state, State) and state.position is None:
                await begin(partition, self.name, at_start=self.terms.begins_at_start)

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """How far it is in each log; a row is an event that was handed over."""
        found = await states_of([partition for partition, _ in logs], self.name)
        statuses: list[Status | Exception] = []
        for (partition, log), state in zip(logs, found, strict=True):
            if isinstance(state, Exception):
                statuses.append(state)
                continue
            is_new = state.position is None and not self.terms.begins_at_start
            lag = 0 if is_new else max(0, log.events - state.events)
            handling = state.handling(partition)
            statuses.append(Status(state.position or START, lag, state.handled, handling))
        return statuses

    async def rebuild(self, task: Task) -> Findings:
        """Hands events over again. Raises RebuildRefused where the task does not say from where."""
        return await replayed(task, self.name)

    def check(self, fold: Fold) -> NoCheck:
        """What compares nothing; the fold is told why."""
        fold.not_compared[self.name] = "it hands events over, and keeps nothing to compare"
        return NoCheck()


LONGEST = 3600.0
"""Seconds that an event may take."""


def check_seconds(seconds: float) -> None:
    """Raises ValueError for a time that is none, or that nobody would wait for."""
    if not 0 < seconds <= LONGEST:
        message = f"seconds is {seconds}: it takes more than 0, up to {LONGEST:g}."
        raise ValueError(message)


def check_terms(begin: str, give_up_after: int | None) -> None:
    """Raises ValueError for what a projection can't be told."""
    if begin not in {"now", "start"}:
        message = f"begin is {begin!r}: it takes 'now' or 'start'."
        raise ValueError(message)
    if give_up_after is not None and give_up_after < 1:
        message = f"give_up_after is {give_up_after}: it takes a number from 1, or None."
        raise ValueError(message)
