"""The receipt of a rebuild, which is kept until the next one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from itertools import chain
from typing import Any

from itemstore.domain.positions import key_of
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import replies_of
from itemstore.projections.digest import sum_of
from itemstore.projections.task import EXAMPLES, Findings


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


@dataclass(frozen=True, slots=True)
class Receipts:
    """Those of a collection: one for each of its partitions, by number; None is the only one's."""

    of_each: Mapping[int | None, Receipt]

    @property
    def whole(self) -> Receipt:
        """What was done in all of them together."""
        return together([*self.of_each.values()])

    def as_dict(self) -> dict[str, object]:
        """For JSON: the only one, or what is so of all, and each under `partitions`."""
        whole = self.whole.as_dict()
        if None in self.of_each:
            return whole
        each = [
            {"partition": number} | receipt.as_dict() for number, receipt in self.of_each.items()
        ]
        return whole | {"partitions": each}


def together(receipts: Sequence[Receipt]) -> Receipt:
    """The receipt of what was done in the partitions of a collection, one after the other.

    Its digests are the sums of theirs: those of rows do not depend on the partitions these are in.
    """
    first, *others = receipts
    if not others:
        return first
    return Receipt(
        first.projection,
        first.dry_run,
        min(each.started for each in receipts),
        round(sum(each.seconds for each in receipts), 3),
        _all_of([each.findings for each in receipts]),
    )


def _all_of(found: Sequence[Findings]) -> Findings:
    different: Counter[str] = Counter()
    for each in found:
        different.update(each.different)
    is_readable = all(each.digest_before for each in found)
    return Findings(
        first=min((each.first for each in found if each.first), key=key_of, default=""),
        last=max((each.last for each in found if each.last), key=key_of, default=""),
        events=sum(each.events for each in found),
        skipped=sum(each.skipped for each in found),
        items=sum(each.items for each in found),
        digest_before=_digest([each.digest_before for each in found]) if is_readable else "",
        digest_after=_digest([each.digest_after for each in found]),
        different=dict(different),
        examples=[*chain.from_iterable(each.examples for each in found)][:EXAMPLES],
    )


def _digest(digests: Sequence[str]) -> str:
    """The sum of them; of what an operator's own projection gives in another form, a digest.

    Where none keeps anything, there is none.
    """
    if not any(digests):
        return ""
    try:
        return sum_of(digests)
    except ValueError:
        return sha256("\n".join(digests).encode()).hexdigest()


async def keep(partition: Partition, receipt: Receipt) -> None:
    """Keeps the receipt as the projection's last."""
    text = json.dumps(receipt.as_dict(), ensure_ascii=False)
    with translated():
        await partition.client.hset(partition.keys.receipts, receipt.projection, text)


async def last_receipts(partitions: Sequence[Partition]) -> list[dict[str, Receipt]]:
    """The receipts of the last rebuilds of each log, by projection.

    Raises LogUnavailable and LogBroken.
    """
    commands = [(each, ("HGETALL", each.keys.receipts)) for each in partitions]
    return [_receipts(each) for each in await replies_of(commands)]


def _receipts(found: Any) -> dict[str, Receipt]:
    if isinstance(found, Exception):
        raise found
    return {name.decode(): Receipt.from_dict(json.loads(text)) for name, text in found.items()}
