"""What a batch is to do: a command for each of its requests, on what the ones before it leave.

The append script decides them all in one moment. What depends on an item that was read before is
bound to the version that was read then (its pin), so that the batch begins again where another
writer came between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.patch import Change
from itemstore.api.http.problems import Problem
from itemstore.api.resources.batch_parts import Part, Target, at_index
from itemstore.api.resources.item_writes import patched
from itemstore.domain.commands import CheckItem, Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.evolve import Item
from itemstore.domain.expected import ABSENT, NOTHING, ExpectedVersion, one_of
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from itemstore.store.model import ItemModel

Rows = Mapping[Target, Item | None]
"""Items as they were read; None for one that never existed."""


class Plan:
    """The commands of a batch, as far as they are made.

    `limit` is how many bytes a patched item may have, `most_bytes` how many all of them. Where a
    request can't be carried out on what is known, its command is one that is always refused, and
    the last: whether it is this request that fails, or one before it, is decided by the script.
    """

    def __init__(
        self, parts: Sequence[Part], models: Mapping[str, ItemModel], limit: int, most_bytes: int
    ) -> None:
        self.commands: list[Addressed] = []
        self.is_over = False
        self._parts = parts
        self._models = models
        self._limit = limit
        self._most_bytes = self._room = most_bytes
        self._patched = {part.target for part in parts if part.method == "PATCH"}
        self._bodies: dict[Target, bytes | None] = {}  # None where there is no item
        self._pins: dict[int, int | None] = {}  # the version read, by the index of the request
        self._failure: Exception | None = None  # of the last one

    def unknown(self, parts: Iterable[Part]) -> dict[Target, Part]:
        """The requests whose items must be read first, by item, of those that come next."""
        written: set[Target] = set()
        unknown: dict[Target, Part] = {}
        for part in parts:
            if part.depends and part.target not in self._bodies and part.target not in written:
                unknown[part.target] = part
            elif part.is_write:
                written.add(part.target)
        return unknown

    def work(self, parts: Iterable[Part], rows: Rows) -> int:
        """Bytes of JSON that the patches among these requests are carried out on."""
        sizes = {target: len(row.body or b"") for target, row in rows.items() if row is not None}
        sizes |= {target: len(body or b"") for target, body in self._bodies.items()}
        work = 0
        for part in parts:
            if isinstance(part.content, bytes):
                sizes[part.target] = len(part.content)
            elif part.method == "PATCH":
                work += sizes.get(part.target, 0)
        return work

    def add(self, parts: Iterable[Part], rows: Rows) -> None:
        """Makes the commands of the requests that come next; `rows` are the unknown items."""
        for part in parts:
            expected = self._bound(part, rows)
            command = self._command(part, NOTHING if self._failure else expected)
            self.commands.append(Addressed(part.collection.partition.keys, command))
            if self.is_over:
                return

    def _bound(self, part: Part, rows: Rows) -> ExpectedVersion:
        """What the request expects: what it says itself, and the version that was read for it."""
        if not part.depends or part.target in self._bodies:
            return part.expected
        item = rows[part.target]
        if item is None or item.body is None:
            version, exact = None, ABSENT
            self._bodies[part.target] = None
        else:
            version, exact = item.version, one_of(item.version)
            if part.target in self._patched:
                self._bodies[part.target] = item.body
            if part.expected.admits(version):
                self._check_date(part, item)
        self._pins[len(self.commands)] = version
        self.is_over = self.is_over or not part.expected.admits(version)
        return part.expected & exact

    def _check_date(self, part: Part, item: Item) -> None:
        try:
            part.conditions.check_unmodified(item.version, item.position)
        except Problem as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failure, self.is_over = error, True

    def _command(self, part: Part, expected: ExpectedVersion) -> Command | CheckItem:
        if isinstance(part.content, bytes):
            self._bodies[part.target] = part.content
            return PutItem(part.item, part.content, expected)
        if isinstance(part.content, Change):
            return self._patch(part, part.content, expected)
        if not part.is_write:
            return CheckItem(part.item, expected)
        self._bodies[part.target] = None
        return DeleteItem(part.item, expected)

    def _patch(self, part: Part, change: Change, expected: ExpectedVersion) -> PatchItem:
        before = self._bodies[part.target]
        if before is None:  # there is nothing to patch, which the script says
            self.is_over = True
            return PatchItem(part.item, b"", expected & ABSENT)
        if not self.is_over:
            try:
                model = self._models[part.collection.name]
                body = patched(before, change, model, self._limit)
                self._take_room(body)
            except Exception as error:  # noqa: BLE001 - a model may raise anything
                self._fail(error)
            else:
                self._bodies[part.target] = body
                return PatchItem(part.item, body, expected)
        return PatchItem(part.item, b"", NOTHING)

    def _take_room(self, body: bytes) -> None:
        self._room -= len(body)
        if self._room < 0:
            raise Problem(
                "content-too-large",
                "The items that the batch patches would have too many bytes in all; patch fewer "
                "of them at once.",
                members={"limit": self._most_bytes},
            )

    def refusal(self, refused: TransactionRefused) -> Exception | None:
        """What the batch is answered with.

        None where it is to begin again: another writer came between, so that a pin does not hold,
        and nothing else is wrong.
        """
        index = refused.index
        error: Exception = refused.error
        part = self._parts[index]
        if isinstance(error, UnexpectedVersion):
            if part.expected.admits(error.version):
                is_last = index == len(self.commands) - 1
                is_as_read = self._pins.get(index, error.version) == error.version
                if self._failure is None or not (is_last and is_as_read):
                    return None
                return at_index(index, self._failure)
            met = UnexpectedVersion(part.item, part.expected, error.version)
            error = part.conditions.refusal(met)
        return at_index(index, self._as_left(index, error))

    def _as_left(self, index: int, error: Exception) -> Exception:
        """The error, which does not speak of a version as the item's that it never got to."""
        target, problem = self._parts[index].target, problem_of(error)
        before = self._parts[:index]
        if problem is None or not any(each.is_write and each.target == target for each in before):
            return error
        sentence = "The requests before it would have left the item so; nothing was carried out."
        return Problem(problem.type.slug, f"{problem.detail} {sentence}", members=problem.members)
