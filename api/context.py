"""What a request works with: the log, the current items, the model and the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from redis.asyncio import Redis

from itemstore.api.gate.authentication import Access
from itemstore.engine.disk_space import Room
from itemstore.engine.durability import Acknowledgement
from itemstore.eventlog.append import Terms
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.live import LiveFeed
from itemstore.eventlog.log import EventLog
from itemstore.projections.current_items import APPLY, CurrentItems
from itemstore.server.admission import Traffic
from itemstore.server.processes import Workers
from itemstore.server.slow_work import SlowWork
from itemstore.store import cloudevents
from itemstore.store.health import Health
from itemstore.store.model import ItemModel
from itemstore.store.settings import Settings


@dataclass(frozen=True, slots=True)
class Store:
    """The parts of one store, on one engine, in one namespace.

    `running` are the idempotency keys of requests that this process is at.
    """

    redis: Redis
    keys: Keys
    log: EventLog
    items: CurrentItems
    feed: LiveFeed
    model: ItemModel
    settings: Settings
    access: Access
    traffic: Traffic
    workers: Workers
    room: Room
    health: Health
    slow: SlowWork
    running: set[str] = field(default_factory=set)

    @classmethod
    def on(
        cls, redis: Redis, settings: Settings, model: ItemModel, traffic: Traffic, room: Room
    ) -> Store:
        """The store that the engine behind `redis` holds, with its data where `room` is."""
        keys = Keys(settings.namespace)
        acknowledgement = Acknowledgement.of(settings.durability)
        terms = Terms(settings.max_waiting, settings.idempotency_seconds, acknowledgement, room)
        log = EventLog(redis, keys, APPLY, terms)
        workers = Workers.of_environment(traffic.tally)
        traffic.tally.counts |= {"events": log.appended, "batches": log.batch_sizes}
        return cls(
            redis,
            keys,
            log,
            CurrentItems(redis, keys, waiting=settings.max_waiting),
            LiveFeed(log, cloudevents.frame, traffic.read_piece),
            model,
            settings,
            Access(redis, keys, may_be_open=settings.may_be_open, mark=workers.tokens_mark),
            traffic,
            workers,
            room,
            Health(redis, keys, log, room, settings.durability),
            SlowWork(settings.max_waiting),
        )
