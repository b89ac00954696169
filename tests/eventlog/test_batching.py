"""Batches by themselves: which calls share a round trip, and which answer or error each gets."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from itemstore.eventlog.batching import Batches, TooManyWaiting, Waiting


class Refused(Exception):
    """What one call is answered with."""


class Down(Exception):
    """What the other side does to a whole batch."""


@dataclass
class OtherSide:
    """Answers calls when it is let to: a number with itself, a negative one with Refused."""

    batches: list[list[int]] = field(default_factory=list)
    is_down: bool = False
    lets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def send(self, batch: Sequence[int]) -> list[int | Exception]:
        """An answer for each call, or Down."""
        self.batches.append(list(batch))
        await self.lets.acquire()
        if self.is_down:
            raise Down
        return [number if number >= 0 else Refused() for number in batch]

    def let(self, batches: int = 1000) -> None:
        """Lets this many more batches through."""
        for _ in range(batches):
            self.lets.release()


@pytest.fixture
def other() -> OtherSide:
    """The other side of the round trip."""
    return OtherSide()


def batches_to(
    other: OtherSide, *, most: int = 10, most_bytes: int = 0, waiting: int = 100, flights: int = 1
) -> Batches[int, int]:
    """Batches, one at a time unless said otherwise."""
    return Batches(
        other.send, most=most, most_bytes=most_bytes, waiting=Waiting(waiting), flights=flights
    )


def submit(batches: Batches[int, int], *calls: int, size: int = 0) -> list[asyncio.Task[int]]:
    """A caller for each call."""
    return [asyncio.create_task(batches.submit(call, size)) for call in calls]


async def settled() -> None:
    """Long enough for every task to get as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_calls_gather_while_a_batch_is_under_way(other: OtherSide) -> None:
    """Calls that come later go together, in the order they came."""
    batches = batches_to(other)
    first = submit(batches, 1, 2)
    await settled()
    later = [*submit(batches, 3), *submit(batches, 4, 5)]
    await settled()
    assert other.batches == [[1, 2]]
    other.let()
    assert await asyncio.gather(*first, *later) == [1, 2, 3, 4, 5]
    assert other.batches == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize("flights", [1, 2, 3])
async def test_no_more_batches_are_under_way_than_flights(other: OtherSide, flights: int) -> None:
    """The next one leaves when one of them is back."""
    batches = batches_to(other, most=1, flights=flights)
    callers = submit(batches, *range(6))
    await settled()
    assert len(other.batches) == flights
    other.let(1)
    await settled()
    assert len(other.batches) == flights + 1
    other.let()
    assert await asyncio.gather(*callers) == list(range(6))


async def test_a_batch_ends_at_its_bounds(other: OtherSide) -> None:
    """At a number of calls, or of bytes; a call that is over them alone still goes."""
    other.let()
    await asyncio.gather(*submit(batches_to(other, most=2), 1, 2, 3))
    assert other.batches == [[1, 2], [3]]
    other.batches.clear()
    batches = batches_to(other, most_bytes=100)
    callers = [*submit(batches, 1, 2, size=50), *submit(batches, 3, size=51)]
    callers += [*submit(batches, 4, size=500), *submit(batches, 5, size=0)]
    await asyncio.gather(*callers)
    assert other.batches == [[1, 2], [3], [4], [5]]


async def test_a_call_that_stands_for_several_is_never_divided(other: OtherSide) -> None:
    """It goes with what fits beside it, else alone; the sizes count what it stands for."""
    batches = Batches[int, int](other.send, most=4, most_bytes=0, waiting=Waiting(12), flights=1)
    counts = [(1, 1), (2, 3), (3, 1), (4, 4), (5, 2), (6, 2), (7, 1), (8, 5)]
    callers = [asyncio.create_task(batches.submit(call, 0, count)) for call, count in counts[:4]]
    await settled()
    assert other.batches == [[1, 2]]
    callers += [asyncio.create_task(batches.submit(call, 0, count)) for call, count in counts[4:]]
    await settled()
    with pytest.raises(TooManyWaiting):  # fifteen wait, in six calls
        await batches.submit(9)
    other.let()
    assert await asyncio.gather(*callers) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert other.batches == [[1, 2], [3], [4], [5, 6], [7], [8]]
    assert batches.sizes == {4: 3, 1: 2, 5: 1}


async def test_an_error_for_one_call_is_raised_to_its_caller_alone(other: OtherSide) -> None:
    """The others of the batch get their answers."""
    other.let()
    outcomes = await asyncio.gather(*submit(batches_to(other), 1, -1, 2), return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [1, 2]
    assert isinstance(outcomes[1], Refused)


async def test_an_error_of_a_batch_is_raised_to_all_that_wait(other: OtherSide) -> None:
    """To its own callers and to those after them; calls that come later are sent again."""
    batches = batches_to(other)
    callers = submit(batches, 1, 2)
    await settled()
    callers += submit(batches, 3)
    await settled()
    other.is_down = True
    other.let(1)
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Down, Down, Down]

    other.is_down = False
    other.let()
    assert await batches.submit(4) == 4
    assert other.batches == [[1, 2], [4]]


async def test_a_full_queue_takes_no_call_until_it_has_moved(other: OtherSide) -> None:
    """At once, and the call is not sent later."""
    batches = batches_to(other, waiting=2)
    callers = submit(batches, 1)
    await settled()
    callers += submit(batches, 2, 3)
    await settled()
    with pytest.raises(TooManyWaiting):
        await asyncio.wait_for(batches.submit(4), 0.1)
    other.let()
    assert await asyncio.gather(*callers) == [1, 2, 3]
    assert await batches.submit(5) == 5
    assert other.batches == [[1], [2, 3], [5]]


async def test_a_caller_that_gave_up_leaves_the_rest_as_it_was(other: OtherSide) -> None:
    """Whether its batch is answered or fails."""
    for is_down in (False, True):
        batches = batches_to(other)
        gone, stays = submit(batches, 1, 2)
        await settled()
        gone.cancel()
        await settled()
        other.is_down = is_down
        other.let(1)
        [outcome] = await asyncio.gather(stays, return_exceptions=True)
        assert isinstance(outcome, Down) if is_down else outcome == 2
        assert gone.cancelled()


def test_batches_outlive_an_event_loop(other: OtherSide) -> None:
    """An answered caller may end its loop at once; the next loop starts afresh."""
    batches = batches_to(other)
    other.let()
    for number in range(3):
        assert asyncio.run(batches.submit(number)) == number


@pytest.mark.parametrize("is_down", [False, True])
async def test_an_error_leaves_nothing_for_the_garbage_collector(
    other: OtherSide, *, is_down: bool
) -> None:
    """Conditional writes are refused often, each with all that its request was made of."""
    other.is_down = is_down
    other.let()
    batches = batches_to(other)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises((Refused, Down)):
            await batches.submit(-1)
        await settled()
        assert [each for each in gc.get_objects() if type(each) in {Refused, Down}] == []
    finally:
        gc.enable()


async def test_the_next_batch_leaves_before_the_answers_to_the_last_are_made() -> None:
    """Making them takes time, in which the other side would have nothing to do."""
    happened: list[str] = []

    async def send(batch: Sequence[int]) -> Iterator[int | Exception]:
        happened.append(f"sent {batch}")
        await asyncio.sleep(0)
        return (made(number) for number in batch)

    def made(number: int) -> int:
        happened.append(f"made {number}")
        return number

    batches = Batches(send, most=2, most_bytes=0, waiting=Waiting(100), flights=1)
    assert await asyncio.gather(*submit(batches, 1, 2, 3)) == [1, 2, 3]
    assert happened == ["sent [1, 2]", "sent [3]", "made 1", "made 2", "made 3"]


async def test_an_answer_that_cannot_be_made_is_an_error_of_those_that_have_none() -> None:
    """Of its caller and of the ones after it in the batch; the batches after it are answered."""

    async def send(batch: Sequence[int]) -> Iterator[int | Exception]:
        return (10 // number for number in batch)

    batches = Batches(send, most=3, most_bytes=0, waiting=Waiting(100), flights=1)
    callers = submit(batches, 1, 0, 2, 5)
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [outcomes[0], outcomes[3]] == [10, 2]
    assert [type(outcome) for outcome in outcomes[1:3]] == [ZeroDivisionError] * 2


async def test_a_second_batch_leaves_when_a_crowd_waits(other: OtherSide) -> None:
    """Fewer wait until the first one is back, and go together."""
    batches = Batches(other.send, most=10, most_bytes=0, waiting=Waiting(100), flights=2, crowd=3)
    callers = submit(batches, 1)
    await settled()
    callers += submit(batches, 2, 3)
    await settled()
    assert other.batches == [[1]]
    callers += submit(batches, 4)
    await settled()
    assert other.batches == [[1], [2, 3, 4]]
    callers += submit(batches, 5)
    await settled()
    other.let()
    assert await asyncio.gather(*callers) == [1, 2, 3, 4, 5]
    assert other.batches == [[1], [2, 3, 4], [5]]


async def test_calls_that_stand_for_many_may_wait_like_others(other: OtherSide) -> None:
    """As many calls, and as long as all that they stand for is no more than may wait."""
    batches = Batches[int, int](other.send, most=4, most_bytes=0, waiting=Waiting(3, 9), flights=1)
    callers = [asyncio.create_task(batches.submit(call, 0, 4)) for call in range(3)]
    await settled()
    callers += [asyncio.create_task(batches.submit(3, 0, 4))]  # two wait, and stand for eight
    await settled()
    with pytest.raises(TooManyWaiting):
        await batches.submit(4)
    other.let()
    assert await asyncio.gather(*callers) == [0, 1, 2, 3]


async def test_queues_with_one_bound_take_no_more_than_that_together(other: OtherSide) -> None:
    """Whoever comes to either of them; and what has gone makes room, also what has failed."""
    bound = Waiting(3)
    one, two = (
        Batches[int, int](other.send, most=10, most_bytes=0, waiting=bound, flights=1)
        for _ in range(2)
    )
    callers = submit(one, 1) + submit(two, 1)  # these are under way
    await settled()
    callers += submit(one, 2) + submit(two, 2, 3)
    await settled()
    for batches in (one, two):
        with pytest.raises(TooManyWaiting):
            await batches.submit(4)
    other.is_down = True
    other.let()
    assert len(await asyncio.gather(*callers, return_exceptions=True)) == 5
    other.is_down = False
    assert await asyncio.gather(*submit(one, 5, 6), *submit(two, 7)) == [5, 6, 7]
