"""What a verification found."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

SHOWN = 20
"""How many differences are kept; all are counted."""

LONGEST = 200
"""Characters shown of what is and of what should be."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what the log says.

    `where` is `log`, `row`, `index`, `history`, `total` or a projection's name; `name` is the id,
    the position or the number that is meant. `found` is what is, `expected` what should be.
    """

    where: str
    name: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where} {self.name}: is {self.found}, should be {self.expected}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the log says up to `position`, and what was found to differ from it.

    `digest` is that of the rows as they should be, `items` how many items exist, `events` how
    many entries the log has. `counted` says how many differences there are, by where they are;
    `differences` are the first of them. `not_compared` says why projections were not compared, by
    their names, where that is no difference.
    """

    digest: str
    position: str
    events: int
    items: int
    counted: dict[str, int]
    differences: list[Difference]
    not_compared: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether everything is what it should be."""
        return not self.counted

    def as_dict(self) -> dict[str, object]:
        """The verdict for JSON, with `clean`."""
        return {"clean": self.clean} | asdict(self)


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
