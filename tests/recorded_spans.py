"""The spans that a test's store makes, as a provider of the test's own takes them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Tracer

from itemstore.tracing import spans


class Recorded:
    """What was recorded: each span once it has ended. `tracer` is one of the test's own."""

    def __init__(self, tracer: Tracer, exporter: InMemorySpanExporter) -> None:
        self.tracer = tracer
        self._exporter = exporter

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All of them."""
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        """Their names, in the order in which they ended."""
        return [span.name for span in self.spans]

    def named(self, name: str) -> list[ReadableSpan]:
        """Those with a name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only one with a name."""
        [span] = self.named(name)
        return span

    def clear(self) -> None:
        """Forgets them."""
        self._exporter.clear()


def recording(monkeypatch: pytest.MonkeyPatch, *, share: float = 1.0) -> Recorded:
    """Has such a share of the traces recorded that begin here."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "tracer", provider.get_tracer("itemstore"))
    return Recorded(provider.get_tracer("test"), exporter)


def parent_of(span: ReadableSpan) -> int | None:
    """The id of the span that it is a part of."""
    return None if span.parent is None else span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    """Its own id."""
    assert span.context is not None
    number: int = span.context.span_id
    return number


def way_to(recorded: Recorded, name: str) -> list[str]:
    """The names from the root to a span."""
    by_id = {id_of(span): span for span in recorded.spans}
    span: ReadableSpan | None = recorded.one(name)
    way: list[str] = []
    while span is not None:
        way.insert(0, span.name)
        parent = parent_of(span)
        span = None if parent is None else by_id[parent]
    return way
