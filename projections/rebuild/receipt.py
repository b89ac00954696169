"""The receipt of a rebuild, which is kept until the next one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from itemstore.engine.one_trip import replies
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.projections.task import Findings


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a rebuild did, when (UTC, RFC 3339), and how long it took."""

    projection: str
    dry_run: bool
    started: str
    seconds: float
    findings: Findings

    @property
    def rate(self) -> int:
        """Events per second."""
        return round(self.findings.events / self.seconds)

    def as_dict(self) -> dict[str, object]:
        """The receipt for JSON, without levels."""
        members: dict[str, object] = asdict(self)
        del members["findings"]
        return members | {"rate": self.rate} | asdict(self.findings)

    @classmethod
    def from_dict(cls, members: dict[str, object]) -> Receipt:
        """The receipt that `as_dict` gave."""
        found = {field.name: members[field.name] for field in fields(Findings)}
        own = {name: members[name] for name in ("projection", "dry_run", "started", "seconds")}
        return cls(findings=Findings(**found), **own)  # type: ignore[arg-type]


async def keep(partition: Partition, receipt: Receipt) -> None:
    """Keeps the receipt as the projection's last."""
    text = json.dumps(receipt.as_dict(), ensure_ascii=False)
    with translated():
        await partition.client.hset(partition.keys.receipts, receipt.projection, text)


async def last_receipts(partitions: Sequence[Partition]) -> list[dict[str, Receipt]]:
    """The receipts of the last rebuilds in each collection, by projection.

    Raises LogUnavailable and LogBroken.
    """
    commands = [("HGETALL", partition.keys.receipts) for partition in partitions]
    found = await replies(partitions[0].client, commands) if partitions else []
    return [_receipts(each) for each in found]


def _receipts(found: Any) -> dict[str, Receipt]:
    if isinstance(found, Exception):
        raise found
    return {name.decode(): Receipt.from_dict(json.loads(text)) for name, text in found.items()}
