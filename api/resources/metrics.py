"""`/metrics`: what the processes count and how far the log is, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter
from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from itemstore.api.http.accept import preferred
from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.openapi import operations
from itemstore.api.resources.histograms import buckets
from itemstore.api.resources.metrics_of_engine import of_engine, of_read_model
from itemstore.api.resources.metrics_of_nodes import of_nodes
from itemstore.api.resources.metrics_of_queries import of_queries
from itemstore.api.resources.metrics_of_readiness import of_readiness
from itemstore.server.counters import BOUNDS, OTHER, Snapshot
from itemstore.server.refusals import Overloaded

router = APIRouter(route_class=Route)

FORMS = ("text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0")
"""What Accept may name, the default first."""

QUICK_SAMPLES = 500
"""Numbers that are written down in some 5 ms."""

BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128)


@router.get(
    "/metrics",
    **operations.service(
        "metrics",
        "Metrics for Prometheus.",
        content=operations.text_of("text/plain", "application/openmetrics-text"),
    ),
)
async def metrics(request: Request) -> Reply:
    """All metrics in Prometheus' text format, or as OpenMetrics where Accept asks for that."""
    total, pids = request.context.processes.total()
    families = [
        _info(),
        *_counted(total),
        *await of_engine(request.store, request.context.shown_projections),
        *await of_read_model(request.context.read_model),
        *await of_nodes(request.store, request.context.health),
        *await of_readiness(request.context),
        *_processes(pids),
    ]
    encode, content_type = choose_encoder(preferred(request, *FORMS))
    body = await _encoded(request, partial(encode, _Collected(families)), families)
    headers = [
        (b"content-type", content_type.encode()),
        NO_STORE,
        BY_ACCEPT,
    ]
    return Reply(200, headers, body)


async def _encoded(
    request: Request, encode: Callable[[], bytes], families: Sequence[Metric]
) -> bytes:
    """The text, made beside the event loop where it is long: collections have routes each."""
    if sum(len(family.samples) for family in families) > QUICK_SAMPLES:
        with suppress(Overloaded):  # it is answered even then
            return await request.context.slow_work.run(encode)
    return encode()


@dataclass(frozen=True, slots=True)
class _Collected(Collector):
    """Families of metrics, in the form that prometheus-client takes."""

    families: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def _info() -> Metric:
    return InfoMetricFamily("itemstore", "What serves.", {"version": version("itemstore")})


def _counted(total: Snapshot) -> Iterator[Metric]:
    yield from _answers(total)
    yield _counter(
        "itemstore_problems", "Errors answered, by problem type.", "type", total, "problems"
    )
    yield _events(total)
    yield _batches(total)
    yield from of_queries(total)
    yield _counter(
        "itemstore_streams_cut",
        "Streams that were cut off because their client was too slow.",
        "reason",
        total,
        "streams_cut",
    )
    for name, text in (
        ("waiting", "Requests that have come and wait for their answer."),
        ("connections", "Open connections of clients."),
        ("max_connections", "Connections of clients that there may be at once."),
        ("streams", "Open streams: live feeds, JSON lines and long polls."),
        ("reads", "Lists, pages and the like that are being made or wait for that."),
        ("unsent_bytes", "Bytes of answers that their clients are slow to take."),
    ):
        yield GaugeMetricFamily(f"itemstore_{name}", text, total.gauges.get(name, 0.0))


def _answers(total: Snapshot) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "itemstore_requests", "Requests answered.", labels=("route", "method", "status")
    )
    durations = HistogramMetricFamily(
        "itemstore_request_duration_seconds",
        "From a request's head to its answer, or to the first piece of a stream.",
        labels=("route", "method"),
    )
    by_route: dict[tuple[str, str], list[float]] = {}
    for (route, method, status), numbers in sorted(total.answers.items()):
        requests.add_metric((route, method, str(status)), sum(numbers[:-1]))
        if route != OTHER:
            so_far = by_route.get((route, method), [0.0] * len(numbers))
            by_route[route, method] = [a + b for a, b in zip(so_far, numbers, strict=True)]
    for labels, numbers in by_route.items():
        durations.add_metric(labels, buckets(BOUNDS, numbers[:-1]), numbers[-1])
    yield requests
    yield durations


def _events(total: Snapshot) -> Metric:
    labels = ("collection", "type")
    family = CounterMetricFamily(
        "itemstore_events", "Events appended, by collection and type.", labels=labels
    )
    for both, number in sorted(total.counts.get("events", {}).items()):
        family.add_metric(both.split(" "), number)
    return family


def _batches(total: Snapshot) -> Metric:
    sizes = {int(size): number for size, number in total.counts.get("batches", {}).items()}
    numbers = [0.0] * (len(BATCH_BOUNDS) + 1)
    for size, number in sizes.items():
        numbers[sum(size > bound for bound in BATCH_BOUNDS)] += number
    family = HistogramMetricFamily(
        "itemstore_batch_commands", "Commands that shared a call of the engine."
    )
    commands = sum(size * number for size, number in sizes.items())
    family.add_metric((), buckets(BATCH_BOUNDS, numbers), commands)
    return family


def _counter(name: str, text: str, label: str, total: Snapshot, key: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, number in sorted(total.counts.get(key, {}).items()):
        family.add_metric((value,), number)
    return family


def _processes(pids: Sequence[int]) -> Iterable[Metric]:
    """The standard process metrics; with a label for the process where there are several."""
    if len(pids) == 1:
        return ProcessCollector(registry=None).collect()
    families: dict[str, Metric] = {}
    for pid in pids:
        for each in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            family = families.setdefault(
                each.name, Metric(each.name, each.documentation, each.type)
            )
            for sample in each.samples:
                family.add_sample(sample.name, {**sample.labels, "pid": str(pid)}, sample.value)
    return families.values()
