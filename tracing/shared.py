"""The span of a batch: what many requests, each with a trace of its own, wait for together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Link, Span

from itemstore.tracing import spans


@contextmanager
def batch(name: str, carried: Sequence[Span], attributes: spans.Attributes) -> Iterator[None]:
    """The block as a part of the first of these spans, which the others link to.

    A span has one parent, and a trace that has all of it is read most easily. The batch links to
    all that it carries. Where it carries none that is recorded, it is a part of nothing, whatever
    the task that sends it was begun for.
    """
    if not carried:
        token = contexts.attach(spans.NOWHERE)
        try:
            yield
        finally:
            contexts.detach(token)
        return
    links = [Link(each.get_span_context()) for each in carried]
    token = contexts.attach(trace.set_span_in_context(carried[0], spans.NOWHERE))
    try:
        with spans.part(name, attributes=attributes, links=links) as span:
            for each in carried[1:]:
                each.add_link(span.get_span_context())
            yield
    finally:
        contexts.detach(token)
