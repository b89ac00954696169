"""What a request works with: a store, and what one process has to serve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from itemstore.api.query_counts import QueryCounts
from itemstore.api.refused_tokens import RefusedTokens
from itemstore.api.server_sent_events import frame, frame_again
from itemstore.eventlog.live_feed import LiveFeed
from itemstore.eventlog.reader import PAGE_BYTES
from itemstore.projections.projection import Projection
from itemstore.server.admission import Admission, Limits
from itemstore.server.processes import Processes
from itemstore.server.slow_work import SlowWork
from itemstore.store.health import Health
from itemstore.store.known_tokens import KnownTokens
from itemstore.store.model import ItemModel
from itemstore.store.operating import Operating
from itemstore.store.read_model import ReadModel, read_model_of
from itemstore.store.settings import Settings
from itemstore.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """A store and its projections, with the access and the admission of one process.

    `models` are those of its collections, by name. `feed` has the newest events for all that follow
    the log. `slow_work` is done off the event loop. `read_model` is what queries are answered from,
    None where they are turned off, and `queries` counts those. `operating` carries out what admins
    start. `keys_in_use` are the idempotency
    keys of requests that are not answered yet. `refused_tokens` logs those.
    """

    store: Store
    models: Mapping[str, ItemModel]
    projections: Sequence[Projection]
    feed: LiveFeed
    tokens: KnownTokens
    admission: Admission
    processes: Processes
    health: Health
    slow_work: SlowWork
    operating: Operating
    read_model: ReadModel | None = None
    keys_in_use: set[str] = field(default_factory=set)
    queries: QueryCounts = field(default_factory=QueryCounts)
    refused_tokens: RefusedTokens = field(default_factory=RefusedTokens)

    @property
    def shown_projections(self) -> Sequence[Projection]:
        """All that are told of: with the read model, where that follows the logs."""
        sql = None if self.read_model is None else self.read_model.projection
        return self.projections if sql is None else (*self.projections, sql)

    @classmethod
    def of(
        cls,
        store: Store,
        models: Mapping[str, ItemModel],
        projections: Sequence[Projection],
        admission: Admission,
    ) -> Context:
        """What this process has to serve the store, with the settings that it was opened with."""
        counts, settings = store.appender.counts, store.settings
        for section in store.sections:
            if (past := section.partition.past) is not None:
                past.asking = admission.slow_read
        processes = Processes.of_environment(admission.counters)
        admission.counters.counts |= {
            "events": counts.appended,
            "batches": counts.batch_sizes,
        }
        queries = QueryCounts()
        admission.counters.counts |= queries.counts
        return cls(
            store,
            models,
            projections,
            LiveFeed(store.feed, frame, frame_again, admission.read_piece),
            KnownTokens(
                store.partition, may_be_open=settings.may_be_open, mark=processes.tokens_mark
            ),
            admission,
            processes,
            Health(store),
            SlowWork(settings.max_waiting),
            Operating(store, projections),
            read_model_of(store),
            queries=queries,
        )


def limits_of(settings: Settings) -> Limits:
    """How much one process takes on, as the operator chose."""
    return Limits(
        connections=settings.max_connections,
        waiting=settings.max_waiting,
        streams=settings.max_streams,
        unsent_bytes=settings.max_unsent,
        read_bytes=PAGE_BYTES,
        client_seconds=settings.client_seconds,
    )
