"""Spans, where the process has a provider that takes them, and nothing at all where it has none.

Whoever would begin a span asks `spans.tracer is None` first: that is all that it costs when traces
are off (docs/decisions/0087).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import metadata
from time import monotonic
from typing import Any, TypeVar, cast

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer

from itemstore.logs import current_trace

SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
"""The semantic conventions that names and attributes follow."""

tracer: Tracer | None = None
"""What begins spans; None where no provider is configured."""

LOOK_SECONDS = 1.0

_looked = float("-inf")
"""When a provider was looked for last."""

NOWHERE = Context()
"""A context without a span."""

Attributes = Mapping[str, str | int | Sequence[str]]

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])
T = TypeVar("T")


def look_for_provider() -> None:
    """Has spans made from now on, if a provider was configured: by `serve`, or by an application.

    One is configured once in a process, and never taken away.
    """
    global tracer, _looked  # noqa: PLW0603 - the process has one provider
    if tracer is not None:
        return
    _looked = monotonic()
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return
    found = provider.get_tracer("itemstore", metadata.version("itemstore"), SCHEMA)
    if not isinstance(found, trace.NoOpTracer):  # that of an SDK that is turned off
        tracer = found
        current_trace.ids = ids


def look_again() -> None:
    """The same, once a second: to ask OpenTelemetry takes longer than a request may pay for it."""
    if tracer is None and monotonic() - _looked > LOOK_SECONDS:
        look_for_provider()


async def keep_looking() -> None:
    """Looks once a second, until there is a provider: requests that are answered directly don't."""
    while tracer is None:
        look_for_provider()
        await asyncio.sleep(LOOK_SECONDS)


def recorded() -> Span | None:
    """The span that this is a part of; None where there is none, or it was not sampled."""
    if tracer is None:
        return None
    span = trace.get_current_span()
    return span if span.is_recording() else None


def ids() -> dict[str, str]:
    """The ids of the span that this is a part of, as lines of the log have them; none without."""
    if (span := recorded()) is None:
        return {}
    found = span.get_span_context()
    return {
        "trace_id": trace.format_trace_id(found.trace_id),
        "span_id": trace.format_span_id(found.span_id),
    }


def note(attributes: Attributes) -> None:
    """Says more about the span that this is a part of, if there is one."""
    if (span := recorded()) is not None:
        span.set_attributes(attributes)


def failed(span: Span, error: BaseException) -> None:
    """Says of a span which kind of error ended it: no sentence, which may quote what was sent."""
    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(StatusCode.ERROR)


@contextmanager
def part(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    foreseen: tuple[type[Exception], ...] = (),
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """A span of a part of the current one, which is current in the block.

    An error ends it as an error, unless it is an outcome that is foreseen, such as a refusal.
    """
    assert tracer is not None
    span = tracer.start_span(name, kind=kind, attributes=attributes, links=links)
    token = contexts.attach(trace.set_span_in_context(span))
    try:
        yield span
    except foreseen as error:
        span.set_attribute("error.type", type(error).__qualname__)
        raise
    except BaseException as error:
        failed(span, error)
        raise
    finally:
        contexts.detach(token)
        span.end()


def traced(name: str, foreseen: tuple[type[Exception], ...] = ()) -> Callable[[F], F]:
    """Makes each call of an asynchronous function a part of the span that it is called in."""

    def traced(function: F) -> F:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
            if tracer is None or recorded() is None:
                return function(*args, **kwargs)
            return _within(function(*args, **kwargs), name, foreseen)

        return cast("F", call)

    return traced


async def _within(answer: Awaitable[T], name: str, foreseen: tuple[type[Exception], ...]) -> T:
    with part(name, foreseen=foreseen):
        return await answer
