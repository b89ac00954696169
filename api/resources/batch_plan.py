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
from itemstore.api.resources.batch_requests import BatchedRequest, Target, at_index
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
        self,
        requests: Sequence[BatchedRequest],
        models: Mapping[str, ItemModel],
        limit: int,
        most_bytes: int,
    ) -> None:
        self.commands: list[Addressed] = []
        self.is_over = False
        self._requests = requests
        self._models = models
        self._limit = limit
        self._most_bytes = self._bytes_left = most_bytes
        self._patched = {asked.target for asked in requests if asked.method == "PATCH"}
        self._bodies: dict[Target, bytes | None] = {}  # None where there is no item
        self._pins: dict[int, int | None] = {}  # the version read, by the index of the request
        self._failure: Exception | None = None  # of the last one

    def unknown(self, requests: Iterable[BatchedRequest]) -> dict[Target, BatchedRequest]:
        """The requests whose items must be read first, by item, of those that come next."""
        written: set[Target] = set()
        unknown: dict[Target, BatchedRequest] = {}
        for asked in requests:
            if asked.depends and asked.target not in self._bodies and asked.target not in written:
                unknown[asked.target] = asked
            elif asked.is_write:
                written.add(asked.target)
        return unknown

    def work(self, requests: Iterable[BatchedRequest], rows: Rows) -> int:
        """Bytes of JSON that the patches among these requests are carried out on."""
        sizes = {target: len(row.body or b"") for target, row in rows.items() if row is not None}
        sizes |= {target: len(body or b"") for target, body in self._bodies.items()}
        work = 0
        for asked in requests:
            if isinstance(asked.content, bytes):
                sizes[asked.target] = len(asked.content)
            elif asked.method == "PATCH":
                work += sizes.get(asked.target, 0)
        return work

    def add(self, requests: Iterable[BatchedRequest], rows: Rows) -> None:
        """Makes the commands of the requests that come next; `rows` are the unknown items."""
        for asked in requests:
            expected = self._bound(asked, rows)
            command = self._command(asked, NOTHING if self._failure else expected)
            self.commands.append(Addressed(asked.collection.partition_of(asked.item).keys, command))
            if self.is_over:
                return

    def _bound(self, asked: BatchedRequest, rows: Rows) -> ExpectedVersion:
        """What the request expects: what it says itself, and the version that was read for it."""
        if not asked.depends or asked.target in self._bodies:
            return asked.expected
        item = rows[asked.target]
        if item is None or item.body is None:
            version, exact = None, ABSENT
            self._bodies[asked.target] = None
        else:
            version, exact = item.version, one_of(item.version)
            if asked.target in self._patched:
                self._bodies[asked.target] = item.body
            if asked.expected.admits(version):
                self._check_date(asked, item)
        self._pins[len(self.commands)] = version
        self.is_over = self.is_over or not asked.expected.admits(version)
        return asked.expected & exact

    def _check_date(self, asked: BatchedRequest, item: Item) -> None:
        try:
            asked.conditions.check_unmodified(item.version, item.position)
        except Problem as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failure, self.is_over = error, True

    def _command(self, asked: BatchedRequest, expected: ExpectedVersion) -> Command | CheckItem:
        if isinstance(asked.content, bytes):
            self._bodies[asked.target] = asked.content
            return PutItem(asked.item, asked.content, expected)
        if isinstance(asked.content, Change):
            return self._patch(asked, asked.content, expected)
        if not asked.is_write:
            return CheckItem(asked.item, expected)
        self._bodies[asked.target] = None
        return DeleteItem(asked.item, expected)

    def _patch(self, asked: BatchedRequest, change: Change, expected: ExpectedVersion) -> PatchItem:
        before = self._bodies[asked.target]
        if before is None:  # there is nothing to patch, which the script says
            self.is_over = True
            return PatchItem(asked.item, b"", expected & ABSENT)
        if not self.is_over:
            try:
                model = self._models[asked.collection.name]
                body = patched(before, change, model, self._limit)
                self._take_bytes(body)
            except Exception as error:  # noqa: BLE001 - a model may raise anything
                self._fail(error)
            else:
                self._bodies[asked.target] = body
                return PatchItem(asked.item, body, expected)
        return PatchItem(asked.item, b"", NOTHING)

    def _take_bytes(self, body: bytes) -> None:
        self._bytes_left -= len(body)
        if self._bytes_left < 0:
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
        asked = self._requests[index]
        if isinstance(error, UnexpectedVersion):
            if asked.expected.admits(error.version):
                is_last = index == len(self.commands) - 1
                is_as_read = self._pins.get(index, error.version) == error.version
                if self._failure is None or not (is_last and is_as_read):
                    return None
                return at_index(index, self._failure)
            met = UnexpectedVersion(asked.item, asked.expected, error.version)
            error = asked.conditions.refusal(met)
        return at_index(index, self._as_left(index, error))

    def _as_left(self, index: int, error: Exception) -> Exception:
        """The error, which does not speak of a version as the item's that it never got to."""
        target, problem = self._requests[index].target, problem_of(error)
        before = self._requests[:index]
        if problem is None or not any(each.is_write and each.target == target for each in before):
            return error
        sentence = "The requests before it would have left the item so; nothing was carried out."
        return Problem(problem.type.slug, f"{problem.detail} {sentence}", members=problem.members)
