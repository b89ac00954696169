"""The only input and output of the client: what carries the steps of a call out, with httpx."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any, TypeVar

import httpx

from itemstore.client.exchange import (
    Answer,
    Apply,
    Call,
    Course,
    Give,
    Open,
    Read,
    Request,
    Send,
    Sleep,
    Step,
)
from itemstore.client.failures import ConnectionFailed, UnexpectedAnswer
from itemstore.client.options import Access

T = TypeVar("T")

OK = 200


class Wire:
    """Carries out steps, one after the other, and waits where it has to."""

    def __init__(self, http: httpx.Client, access: Access) -> None:
        self._http = http
        self._access = access

    def run(self, call: Call[T]) -> T:
        """What a call gives."""
        run = _Run(self._http, self._access)
        outcome = None
        while True:
            try:
                step = call.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # it is what the call returns
            outcome = run.perform(step)

    def each(self, course: Course[T]) -> Generator[T, None, None]:
        """What a course gives, one after the other."""
        run = _Run(self._http, self._access)
        outcome = None
        try:
            while True:
                try:
                    step = course.send(outcome)
                except StopIteration:
                    return
                if isinstance(step, Give):
                    yield step.value
                    outcome = None
                else:
                    outcome = run.perform(step)
        finally:
            run.close()


class _Run:
    """The steps of one call, with the answer that they have open."""

    def __init__(self, http: httpx.Client, access: Access) -> None:
        self._http = http
        self._access = access
        self._open: httpx.Response | None = None
        self._parts: Iterator[bytes] = iter(())

    def perform(self, step: Step) -> Any:
        """What comes of a step."""
        match step:
            case Sleep(seconds):
                time.sleep(seconds)
                return None
            case Apply(function, body):
                return function(body)
        try:
            match step:
                case Send(request):
                    response = self._http.send(
                        _build(self._http, self._access, request), follow_redirects=False
                    )
                    return _answer(response, response.content)
                case Open(request, idle):
                    return self._opened(_build(self._http, self._access, request, idle))
                case Read():
                    return next(self._parts, None)
        except httpx.RequestError as error:
            self.close()
            return _failed(error)

    def _opened(self, request: httpx.Request) -> Answer:
        response = self._http.send(request, stream=True, follow_redirects=False)
        self._open = response
        if response.status_code == OK:
            self._parts = response.iter_bytes()
            return _answer(response, b"")
        content = response.read()
        self.close()
        return _answer(response, content)

    def close(self) -> None:
        """Closes what is open."""
        if self._open is not None:
            self._open.close()
            self._open = None


class AsyncWire:
    """The same, for coroutines."""

    def __init__(self, http: httpx.AsyncClient, access: Access) -> None:
        self._http = http
        self._access = access

    async def run(self, call: Call[T]) -> T:
        """What a call gives."""
        run = _AsyncRun(self._http, self._access)
        outcome = None
        while True:
            try:
                step = call.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # it is what the call returns
            outcome = await run.perform(step)

    async def each(self, course: Course[T]) -> AsyncGenerator[T, None]:
        """What a course gives, one after the other."""
        run = _AsyncRun(self._http, self._access)
        outcome = None
        try:
            while True:
                try:
                    step = course.send(outcome)
                except StopIteration:
                    return
                if isinstance(step, Give):
                    yield step.value
                    outcome = None
                else:
                    outcome = await run.perform(step)
        finally:
            await run.close()


class _AsyncRun:
    """The steps of one call, with the answer that they have open."""

    def __init__(self, http: httpx.AsyncClient, access: Access) -> None:
        self._http = http
        self._access = access
        self._open: httpx.Response | None = None
        self._parts: AsyncIterator[bytes] | None = None

    async def perform(self, step: Step) -> Any:
        """What comes of a step."""
        match step:
            case Sleep(seconds):
                await asyncio.sleep(seconds)
                return None
            case Apply(function, body):
                given = function(body)
                return await given if inspect.isawaitable(given) else given
        try:
            match step:
                case Send(request):
                    response = await self._http.send(
                        _build(self._http, self._access, request), follow_redirects=False
                    )
                    return _answer(response, response.content)
                case Open(request, idle):
                    return await self._opened(_build(self._http, self._access, request, idle))
                case Read():
                    assert self._parts is not None
                    return await anext(self._parts, None)
        except httpx.RequestError as error:
            await self.close()
            return _failed(error)

    async def _opened(self, request: httpx.Request) -> Answer:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        self._open = response
        if response.status_code == OK:
            self._parts = response.aiter_bytes()
            return _answer(response, b"")
        content = await response.aread()
        await self.close()
        return _answer(response, content)

    async def close(self) -> None:
        """Closes what is open."""
        if self._open is not None:
            await self._open.aclose()
            self._open = None


def _build(
    http: httpx.Client | httpx.AsyncClient,
    access: Access,
    request: Request,
    idle: float | None = None,
) -> httpx.Request:
    """The request of httpx: it is never redirected, as no answer of a store leads elsewhere."""
    timeout: Any = httpx.USE_CLIENT_DEFAULT
    if idle is not None:
        own = http.timeout
        timeout = httpx.Timeout(idle, connect=own.connect, write=own.write, pool=own.pool)
    return http.build_request(
        request.method,
        access.url + request.path,
        headers=access.fields() | dict(request.headers),
        content=request.content,
        timeout=timeout,
    )


def _answer(response: httpx.Response, content: bytes) -> Answer:
    return Answer(response.status_code, dict(response.headers), content)


def _failed(error: httpx.RequestError) -> ConnectionFailed:
    """What came in place of an answer. Raises what no other attempt would mend."""
    if isinstance(error, httpx.LocalProtocolError):
        raise error
    if not isinstance(error, httpx.TransportError | httpx.DecodingError):
        raise UnexpectedAnswer(str(error)) from error
    failed = ConnectionFailed(f"{type(error).__name__}: {error}".rstrip(": "))
    failed.__cause__ = error
    return failed
