"""What `/metrics` says of queries: how many, how long, and how much they looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from itemstore.api.query_counts import OUTCOMES, ROWS, SECONDS, SUM
from itemstore.api.resources.histograms import buckets
from itemstore.server.counters import BOUNDS, Snapshot


def of_queries(total: Snapshot) -> Iterator[Metric]:
    """Metrics of the queries that the processes were asked."""
    queries = CounterMetricFamily(
        "itemstore_queries",
        "Queries, by collection and by what came of them: answered, or a problem type.",
        labels=("collection", "outcome"),
    )
    for both, number in sorted(total.counts.get(OUTCOMES, {}).items()):
        queries.add_metric(both.split(" "), number)
    yield queries
    rows = CounterMetricFamily(
        "itemstore_query_rows", "Items that queries looked at.", labels=("collection",)
    )
    for collection, number in sorted(total.counts.get(ROWS, {}).items()):
        rows.add_metric((collection,), number)
    yield rows
    seconds: Mapping[str, int] = total.counts.get(SECONDS, {})
    durations = HistogramMetricFamily(
        "itemstore_query_duration_seconds", "How long queries took, refused ones among them."
    )
    numbers = [seconds.get(str(place), 0) for place in range(len(BOUNDS) + 1)]
    durations.add_metric((), buckets(BOUNDS, numbers), seconds.get(SUM, 0) / 1e6)
    yield durations
