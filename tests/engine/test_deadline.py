"""A deadline: what takes longer than it is ended, and all that is in time hears nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.engine.deadline import Deadline


async def test_what_is_in_time_is_never_ended() -> None:
    """Together the blocks take far longer than one of them may."""
    deadline = Deadline(0.05)
    for _ in range(30):
        with deadline:
            await asyncio.sleep(0.01)


async def test_what_takes_too_long_is_ended_each_time() -> None:
    """After as long as it may take itself, whatever came before it."""
    deadline = Deadline(0.1)
    loop = asyncio.get_running_loop()
    for _ in range(3):
        with deadline:
            await asyncio.sleep(0.05)
        began = loop.time()
        with pytest.raises(TimeoutError), deadline:
            await asyncio.sleep(30)
        assert 0.1 <= loop.time() - began + 0.001 < 5


async def test_a_task_that_is_ended_is_not_one_that_was_cancelled() -> None:
    """It can go on, and be given a time limit of another kind."""
    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(30)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    async with asyncio.timeout(5):
        await asyncio.sleep(0)


async def test_a_task_that_others_cancel_hears_that_it_was_cancelled() -> None:
    """Also where its time is over in the same moment."""
    deadline = Deadline(0.01)
    waits = asyncio.Event()

    async def late() -> None:
        with deadline:
            waits.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(late())
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with deadline:
        await asyncio.sleep(0.005)


async def test_what_fails_in_time_fails_as_it_is() -> None:
    """With the error that it has."""
    with pytest.raises(ZeroDivisionError), Deadline(1):
        raise ZeroDivisionError


def test_it_holds_in_an_event_loop_that_comes_after_another() -> None:
    """A timer of the one before goes off no more."""
    deadline = Deadline(0.05)

    async def late() -> None:
        with deadline:
            await asyncio.sleep(30)

    async def in_time() -> None:
        with deadline:
            await asyncio.sleep(0)

    asyncio.run(in_time())
    with pytest.raises(TimeoutError):
        asyncio.run(late())
