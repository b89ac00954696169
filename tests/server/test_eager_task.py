"""A task that begins at once: beside asyncio's own, what differs is only when it begins."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
import uvloop

from itemstore.server.eager_task import EagerTask

NAME: ContextVar[str] = ContextVar("NAME", default="outside")


class Tasks:
    """Begins tasks from where no task is running, as a protocol does, and notes which have ended.

    `reported` is what the event loop's handler was given.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ended: list[EagerTask] = []
        self.reported: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.reported.append(context))

    async def begun(
        self, coroutine: Coroutine[Any, Any, None], *, cancel: bool = False
    ) -> EagerTask:
        """A task that has begun, and, where it waits, still does."""
        task = EagerTask(coroutine, self.loop, self.ended.append)
        if cancel:
            task.cancel()
        begun = self.loop.create_future()

        def begin() -> None:
            task.begin()
            begun.set_result(None)

        self.loop.call_soon(begin)
        await begun
        return task

    async def to_the_end(self, task: EagerTask) -> None:
        """Returns when the task has ended."""
        async with asyncio.timeout(5):
            while not task.done():
                await asyncio.sleep(0)


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """An event loop of each kind that it is for."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner


def test_what_needs_no_waiting_is_done_when_it_has_begun(runner: asyncio.Runner) -> None:
    """The server is told of its end once."""

    async def told() -> None:
        tasks, steps = Tasks(), list[str]()

        async def work() -> None:
            steps.append("done")

        task = EagerTask(work(), tasks.loop, tasks.ended.append)
        assert not task.done()
        tasks.loop.call_soon(task.begin)
        tasks.loop.call_soon(steps.append, "begun")
        await asyncio.sleep(0)
        assert steps == ["done", "begun"]
        assert task.done()
        assert tasks.ended == [task]

    runner.run(told())


def test_it_waits_for_whatever_a_coroutine_waits_for(runner: asyncio.Runner) -> None:
    """Futures with a result and with an error, turns, tasks, groups of tasks, time limits."""

    async def told() -> None:
        tasks, got = Tasks(), list[Any]()
        result, error = tasks.loop.create_future(), tasks.loop.create_future()

        async def later(value: int) -> int:
            await asyncio.sleep(0.001 * value)
            return value

        async def work() -> None:
            got.append(await result)
            await asyncio.sleep(0)
            try:
                await error
            except ValueError as raised:
                got.append(raised.args)
            got.append(await asyncio.create_task(later(1)))
            got.append(await asyncio.gather(later(2), later(1)))
            got.append(await asyncio.wait_for(later(3), 5))
            async with asyncio.TaskGroup() as group:
                inner = group.create_task(later(4))
            got.append(inner.result())
            async with asyncio.timeout(5):
                got.append(await later(5))

        task = await tasks.begun(work())
        assert not task.done()
        tasks.loop.call_later(0.01, result.set_result, "result")
        error.set_exception(ValueError("error"))
        await tasks.to_the_end(task)
        assert got == ["result", ("error",), 1, [2, 1], 3, 4, 5]
        assert (tasks.ended, tasks.reported) == ([task], [])

    runner.run(told())


@pytest.mark.parametrize("delay", [0, 0.001])
def test_a_time_limit_ends_what_it_is_around_and_nothing_else(
    runner: asyncio.Runner, delay: float
) -> None:
    """Also one that has passed before the first wait."""

    async def told() -> None:
        tasks, got = Tasks(), list[str]()

        async def work() -> None:
            try:
                async with asyncio.timeout(delay):
                    await tasks.loop.create_future()
            except TimeoutError:
                got.append("too late")
            await asyncio.sleep(0.001)
            got.append("went on")

        task = await tasks.begun(work())
        await tasks.to_the_end(task)
        assert got == ["too late", "went on"]
        assert task.cancelling() == 0

    runner.run(told())


def test_an_error_within_a_group_ends_the_whole_group(runner: asyncio.Runner) -> None:
    """The task is told as a parent that asyncio made would be."""

    async def told() -> None:
        tasks, got = Tasks(), list[Any]()

        async def fails() -> None:
            raise ValueError

        async def work() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fails())
                    await tasks.loop.create_future()
            except* ValueError as errors:
                got.append(len(errors.exceptions))
            await asyncio.sleep(0)
            got.append("went on")

        task = await tasks.begun(work())
        await tasks.to_the_end(task)
        assert got == [1, "went on"]
        assert task.cancelling() == 0

    runner.run(told())


def test_cancelled_while_it_waits_it_is_told_there(runner: asyncio.Runner) -> None:
    """It may catch that, and wait again."""

    async def told() -> None:
        tasks, got = Tasks(), list[str]()
        waited_for = tasks.loop.create_future()

        async def work() -> None:
            try:
                await waited_for
            except asyncio.CancelledError as error:
                got.append(f"cancelled: {error}")
            await asyncio.sleep(0.001)
            got.append("went on")

        task = await tasks.begun(work())
        assert task.cancel(msg="why")
        assert not task.done()
        await tasks.to_the_end(task)
        assert got == ["cancelled: why", "went on"]
        assert waited_for.cancelled()
        assert (task.cancelling(), task.uncancel(), task.uncancel()) == (1, 0, 0)

    runner.run(told())


def test_cancelled_once_its_wait_is_over_it_is_told_all_the_same(runner: asyncio.Runner) -> None:
    """In the turn between the result and its taking."""

    async def told() -> None:
        tasks, got = Tasks(), list[str]()
        waited_for = tasks.loop.create_future()

        async def work() -> None:
            try:
                await waited_for
            except asyncio.CancelledError:
                got.append("cancelled")

        task = await tasks.begun(work())
        waited_for.set_result(None)
        assert task.cancel()
        await tasks.to_the_end(task)
        assert got == ["cancelled"]

    runner.run(told())


@pytest.mark.parametrize("by_itself", [False, True], ids=["before it begins", "by itself"])
def test_cancelled_while_it_does_not_wait_it_is_told_where_it_does(
    runner: asyncio.Runner, *, by_itself: bool
) -> None:
    """What was asked before is begun all the same, as somebody waits for its answer."""

    async def told() -> None:
        tasks, got = Tasks(), list[str]()

        async def work() -> None:
            got.append("begun")
            if by_itself:
                current: Any = asyncio.current_task()
                current.cancel()
            got.append("not waiting")
            try:
                await tasks.loop.create_future()
            except asyncio.CancelledError:
                got.append("cancelled")

        task = await tasks.begun(work(), cancel=not by_itself)
        await tasks.to_the_end(task)
        assert got == ["begun", "not waiting", "cancelled"]

    runner.run(told())


def test_cancelled_between_two_turns_it_is_told_in_the_next(runner: asyncio.Runner) -> None:
    """It waits for no future then."""

    async def told() -> None:
        tasks, got = Tasks(), list[str]()

        async def work() -> None:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                got.append("cancelled")

        task = EagerTask(work(), tasks.loop, tasks.ended.append)
        tasks.loop.call_soon(task.begin)
        tasks.loop.call_soon(task.cancel)  # before what begin has called soon
        await tasks.to_the_end(task)
        assert got == ["cancelled"]

    runner.run(told())


def test_a_cancellation_that_is_not_caught_is_its_end(runner: asyncio.Runner) -> None:
    """That is no error, and it is the end only once."""

    async def told() -> None:
        tasks = Tasks()

        async def work() -> None:
            await tasks.loop.create_future()

        task = await tasks.begun(work())
        task.cancel()
        await tasks.to_the_end(task)
        assert not task.cancel()
        assert (tasks.ended, tasks.reported) == ([task], [])

    runner.run(told())


@pytest.mark.parametrize("waits", [False, True])
def test_what_it_raises_is_reported(runner: asyncio.Runner, *, waits: bool) -> None:
    """As nobody asks for its result."""

    async def told() -> None:
        tasks = Tasks()

        async def work() -> None:
            if waits:
                await asyncio.sleep(0)
            raise ValueError

        task = await tasks.begun(work())
        await tasks.to_the_end(task)
        assert tasks.ended == [task]
        assert [type(each["exception"]) for each in tasks.reported] == [ValueError]

    runner.run(told())


def test_it_is_the_current_task_in_a_context_of_its_own(runner: asyncio.Runner) -> None:
    """From its beginning to its end, and nobody else's."""

    async def told() -> None:
        tasks, seen = Tasks(), list[Any]()

        async def work(name: str) -> None:
            before, task = NAME.get(), asyncio.current_task()
            NAME.set(name)
            for _ in range(2):
                await asyncio.sleep(0)
            seen.append((before, NAME.get(), asyncio.current_task() is task))
            by_callback = tasks.loop.create_future()
            tasks.loop.call_soon(lambda: by_callback.set_result(NAME.get()))
            seen.append(await by_callback)

        outer = asyncio.current_task()
        one, other = await tasks.begun(work("one")), await tasks.begun(work("other"))
        for task in (one, other):
            await tasks.to_the_end(task)
        assert sorted(map(str, seen)) == sorted(
            map(str, [("outside", "one", True), ("outside", "other", True), "one", "other"])
        )
        assert NAME.get() == "outside"
        assert asyncio.current_task() is outer

    runner.run(told())
