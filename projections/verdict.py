"""What a verification found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from itemstore.domain.cursors import cursor_at
from itemstore.domain.positions import key_of
from itemstore.projections.digest import sum_of

SHOWN = 20
"""How many differences are kept; all are counted."""

LONGEST = 200
"""Characters shown of what is and of what should be."""

_OF_A_PARTITION = ("digest", "position", "events", "items", "counted", "not_compared")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what the log says.

    `where` is `log`, `row`, `index`, `history`, `total` or a projection's name; `name` is the id,
    the position or the number that is meant. `found` is what is, `expected` what should be.
    `partition` is the number of the partition that it is in, None where the store has one.
    """

    where: str
    name: str
    found: str
    expected: str
    partition: int | None = None

    def __str__(self) -> str:
        of = "" if self.partition is None else f" in partition {self.partition}"
        return f"{self.where} {self.name}{of}: is {self.found}, should be {self.expected}"

    def as_dict(self) -> dict[str, object]:
        """For JSON, with its partition where the store has several."""
        members = asdict(self)
        if self.partition is None:
            del members["partition"]
        return members


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the log says up to `position`, and what was found to differ from it.

    `digest` is that of the rows as they should be, `items` how many items exist, `events` how
    many entries the log has. `counted` says how many differences there are, by where they are;
    `differences` are the first of them. `not_compared` says why projections were not compared, by
    their names, where that is no difference. Where there are `partitions`, these have the verdict
    on each, by its number, and `position` is a cursor.
    """

    digest: str
    position: str
    events: int
    items: int
    counted: dict[str, int]
    differences: list[Difference]
    not_compared: dict[str, str] = field(default_factory=dict)
    partitions: dict[int, Verdict] = field(default_factory=dict)

    @property
    def last(self) -> str:
        """The last position that was looked at in any partition."""
        each = [one.position for one in self.partitions.values()] or [self.position]
        return max(each, key=key_of)

    @property
    def clean(self) -> bool:
        """Whether everything is what it should be."""
        return not self.counted

    def with_more(self, more: Differences) -> Verdict:
        """The same verdict with more differences."""
        differences = [*self.differences, *more.first][:SHOWN]
        return replace(self, counted=self.counted | more.counted, differences=differences)

    def as_dict(self) -> dict[str, object]:
        """The verdict for JSON, with `clean`; of partitions, what each of them adds to it."""
        members: dict[str, object] = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name != "partitions"
        }
        members["differences"] = [each.as_dict() for each in self.differences]
        if self.partitions:
            members["partitions"] = [
                {"partition": number, "clean": one.clean}
                | {name: getattr(one, name) for name in _OF_A_PARTITION}
                for number, one in self.partitions.items()
            ]
        return {"clean": self.clean} | members


def together(partitions: Mapping[int | None, Verdict]) -> Verdict:
    """The verdict on a collection, by those on its partitions; that of the only one is None's.

    The digest of the rows is the same whatever partitions these are in.
    """
    if None in partitions:
        return partitions[None]
    numbered = {number: one for number, one in partitions.items() if number is not None}
    each = [*numbered.values()]
    counted: Counter[str] = Counter()
    for one in each:
        counted.update(one.counted)
    return Verdict(
        digest=sum_of(one.digest for one in each),
        position=cursor_at([one.position for one in each]),
        events=sum(one.events for one in each),
        items=sum(one.items for one in each),
        counted=dict(counted),
        differences=[
            replace(difference, partition=number)
            for number, one in numbered.items()
            for difference in one.differences
        ][:SHOWN],
        not_compared={name: why for one in each for name, why in one.not_compared.items()},
        partitions=numbered,
    )


@dataclass(slots=True)
class Differences:
    """Collects differences: counts all, keeps the first."""

    counted: Counter[str] = field(default_factory=Counter)
    first: list[Difference] = field(default_factory=list)

    def add(self, where: str, name: str | bytes, found: object, expected: object) -> None:
        """Notes a difference."""
        self.counted[where] += 1
        if len(self.first) < SHOWN:
            if isinstance(name, bytes):
                name = name.decode(errors="surrogateescape")
            self.first.append(Difference(where, name, _text(found), _text(expected)))


def _text(value: object) -> str:
    if value is None:
        return "nothing"
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
