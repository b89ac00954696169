"""The receipt of a rebuild: what it went through, and what it found different."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redis.asyncio import Redis

from eventlog.faults import translated
from eventlog.keys import Keys


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a rebuild did.

    `first` and `last` are the positions of the range that was replayed, empty for an empty log,
    `events` how many there were, and `skipped` how many entries were no events. `items` is the
    number of items that exist.

    `digest_before` and `digest_after` tell whether the live projection was what the log says.
    `different` counts what was not, by kind, and `examples` names the first few.

    `started` is a time in UTC (RFC 3339). `rate` is in events per second.
    """

    projection: str
    dry_run: bool
    started: str
    seconds: float
    first: str
    last: str
    events: int
    skipped: int
    items: int
    digest_before: str
    digest_after: str
    different: Mapping[str, int]
    examples: list[str]

    @property
    def rate(self) -> int:
        """Events per second."""
        return round(self.events / self.seconds) if self.seconds else 0

    def as_dict(self) -> dict[str, object]:
        """The same for JSON."""
        return asdict(self) | {"rate": self.rate}

    @classmethod
    def from_json(cls, text: bytes) -> Receipt:
        """The receipt that was kept as this text."""
        members = json.loads(text)
        del members["rate"]
        return cls(**members)


async def keep(redis: Redis, keys: Keys, receipt: Receipt) -> None:
    """Keeps the receipt as the projection's last."""
    text = json.dumps(receipt.as_dict(), ensure_ascii=False)
    with translated():
        await redis.hset(keys.receipts, receipt.projection, text)


async def last_receipt(redis: Redis, keys: Keys, projection: str) -> Receipt | None:
    """The receipt of the projection's last rebuild, None where there was none."""
    with translated():
        text = await redis.hget(keys.receipts, projection)
    return Receipt.from_json(text) if text else None
