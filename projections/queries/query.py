"""What is asked of the items of a collection, and what is found.

Both cross the border of a process, so they are plain values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itemstore.domain.evolve import Item
from itemstore.projections.queries.paths import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of what is found: right after an item with these keys and this id.

    `keys` are the item's sort keys, one for each path that is ordered by, None where it has no
    value there; see sort_keys.py.
    """

    keys: tuple[bytes | None, ...]
    id: str


@dataclass(frozen=True, slots=True)
class Query:
    """One page of those items of a collection that meet all of it.

    `where` is a filter expression of RFC 9535 (section 2.3.5), `search` are words to be found in
    what the operator declared, `order` is paths as http.md has them. `prefixes` are of ids: of at
    least one of them, and `("",)` is all. `limit` is the most items of the page. `text` are the
    paths that are declared to be searched, which the database may not have noted yet. The store has
    so many `partitions`.
    """

    collection: str
    where: str | None = None
    order: str | None = None
    search: str | None = None
    prefixes: Sequence[str] = ("",)
    after: Place | None = None
    limit: int = 100
    text: Sequence[Path] = ()
    partitions: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered.

    `index` is the path of the index that its rows come from, None where all items are looked at;
    `order` says who sorts: `index` or `memory`. `looked_at` counts the rows that were read.
    """

    index: str | None
    order: str
    looked_at: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what a query finds, as of the events up to the cursor `position`.

    `next` is where the next page begins, None on the last one. `total` is how many there are on all
    pages, or at least so many where `total_is_exact` is not.
    """

    items: Sequence[Item]
    next: Place | None
    total: int
    total_is_exact: bool
    position: str
    plan: Plan
