"""The client that waits: for scripts, threads, and tests without `async`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack, overload

import httpx

from itemstore.client.answers import (
    BatchResult,
    Body,
    Deleted,
    Event,
    ItemVersion,
    Page,
    VersionEntry,
    Written,
)
from itemstore.client.batch import Operation
from itemstore.client.calls import Calls
from itemstore.client.conditions import Versions, Writing
from itemstore.client.events import IDLE, Which
from itemstore.client.lists import Query
from itemstore.client.options import Options, blocking_http
from itemstore.client.wires import Wire

Other = TypeVar("Other")


class Client(Generic[Body]):
    """The items of one collection of a store: their bodies are of `model`, or dicts without one.

    Several threads may share it. Close it, or use it in a `with` block.
    """

    @overload
    def __init__(
        self: Client[dict[str, Any]],
        url: str,
        model: None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        http: httpx.Client | None = None,
        **options: Unpack[Options],
    ) -> None: ...

    @overload
    def __init__(
        self,
        url: str,
        model: type[Body],
        *,
        transport: httpx.BaseTransport | None = None,
        http: httpx.Client | None = None,
        **options: Unpack[Options],
    ) -> None: ...

    def __init__(
        self,
        url: str,
        model: type[Body] | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        http: httpx.Client | None = None,
        **options: Unpack[Options],
    ) -> None:
        """`http` is a client of httpx of yours, which is not closed here.

        Raises ValueError for what is no URL, TypeError for a model that pydantic can't read.
        """
        self._calls = Calls(url, model, options)
        self._http = http or blocking_http(transport, options)
        self._is_own = http is None
        self._wire = Wire(self._http, self._calls.access)

    @overload
    def collection(self, name: str, model: None = None) -> Client[dict[str, Any]]: ...

    @overload
    def collection(self, name: str, model: type[Other]) -> Client[Other]: ...

    def collection(self, name: str, model: type[Other] | None = None) -> Client[Any]:
        """A client of another collection of the store, over the same connections."""
        options: Options = {**self._calls.options, "collection": name}
        return Client(self._calls.url, model or dict[str, Any], http=self._http, **options)

    def close(self) -> None:
        """Closes its connections, but for those of a client of httpx that is yours."""
        if self._is_own:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, item_id: str) -> ItemVersion[Body]:
        """The item as it is. Raises NotFound, or ItemDeleted, where there is none."""
        return self._wire.run(self._calls.items.get(item_id))

    def find(self, item_id: str) -> ItemVersion[Body] | None:
        """The item as it is; None where there is none."""
        return self._wire.run(self._calls.items.find(item_id))

    def get_if_changed(self, item_id: str, known: Versions) -> ItemVersion[Body] | None:
        """The item as it is; None where it is still at a version that is known."""
        return self._wire.run(self._calls.items.get_if_changed(item_id, known))

    def version(self, item_id: str, number: int) -> ItemVersion[Body]:
        """The item as a version left it. Raises NotFound; ItemDeleted for one that deleted it."""
        return self._wire.run(self._calls.items.version(item_id, number))

    def as_of(self, item_id: str, moment: datetime) -> ItemVersion[Body]:
        """The item as it was at the end of that second; the first version, if that is later.

        Raises ItemDeleted where it was deleted then, ValueError for a moment without a time zone.
        """
        return self._wire.run(self._calls.items.as_of(item_id, moment))

    def put(self, item_id: str, body: Body, **how: Unpack[Writing]) -> Written[Body]:
        """Stores the whole item; `created` of what it gives says whether there was none before.

        Raises PreconditionFailed where a condition does not hold, Invalid where the store's model
        refuses the body.
        """
        return self._wire.run(self._calls.items.put(item_id, body, **how))

    def create(self, body: Body, *, idempotency_key: str | None = None) -> Written[Body]:
        """Stores a new item, under an id that the store makes."""
        return self._wire.run(self._calls.items.create(body, idempotency_key))

    def patch(
        self,
        item_id: str,
        changes: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        **how: Unpack[Writing],
    ) -> Written[Body]:
        """Changes a part: a mapping is a merge patch, a list of operations a JSON Patch.

        Raises NotFound where there is no item, Conflict where a JSON Patch does not fit it.
        """
        return self._wire.run(self._calls.items.patch(item_id, changes, **how))

    def delete(self, item_id: str, **how: Unpack[Writing]) -> Deleted:
        """Deletes the item; its history stays. Raises NotFound where there is none."""
        return self._wire.run(self._calls.items.delete(item_id, **how))

    def revert(self, item_id: str, version: int, **how: Unpack[Writing]) -> Written[Body]:
        """Makes the item what a version was, also one that is deleted by now."""
        return self._wire.run(self._calls.items.revert(item_id, version, **how))

    def update(
        self,
        item_id: str,
        function: Callable[[Body], Body],
        *,
        initial: Body | None = None,
        attempts: int = 50,
    ) -> Written[Body]:
        """Reads the item, and puts what the function makes of its body.

        Where somebody else writes in between, it begins again, so the function may be called
        several times: it should do nothing but return the new body. Where there is no item it is
        called with `initial`, or NotFound is raised. After so many `attempts` that came too late
        PreconditionFailed is raised.
        """
        return self._wire.run(self._calls.items.update(item_id, function, initial, attempts))

    def batch(
        self, operations: Sequence[Operation], *, idempotency_key: str | None = None
    ) -> list[BatchResult]:
        """Carries out up to 128 requests in one moment, or none: the results are in their order.

        Raises the ProblemError of the first that is refused, whose place is its `index`.
        """
        return self._wire.run(self._calls.batch(operations, idempotency_key))

    def items(
        self, *, page_size: int = 500, **query: Unpack[Query]
    ) -> Generator[ItemVersion[Body], None, None]:
        """The items, all or those that are asked for, over as many pages as it takes."""
        return self._wire.each(self._calls.lists.all(page_size, None, **query))

    def rows(
        self, fields: str | Sequence[str], *, page_size: int = 500, **query: Unpack[Query]
    ) -> Generator[ItemVersion[dict[str, Any]], None, None]:
        """The same, with these members of each body alone, as dicts."""
        return self._wire.each(self._calls.rows(fields, page_size, **query))

    def page(
        self, *, after: str | None = None, page_size: int = 100, **query: Unpack[Query]
    ) -> Page[Body]:
        """One page of the list, with how many items there are in all, and where it goes on."""
        return self._wire.run(self._calls.lists.page(page_size, after, None, **query))

    def versions(self, item_id: str) -> Generator[VersionEntry, None, None]:
        """The item's versions, oldest first, also of one that is deleted by now."""
        return self._wire.each(self._calls.versions(item_id))

    def history(
        self, item_id: str, *, newest_first: bool = False
    ) -> Generator[Event[Body], None, None]:
        """The item's own events."""
        return self._wire.each(self._calls.history(item_id, newest_first=newest_first))

    def events(self, **which: Unpack[Which]) -> Generator[Event[Body], None, None]:
        """The events of the collection that there are now, oldest first."""
        return self._wire.each(self._calls.events(**which))

    def follow(
        self, *, idle: float = IDLE, give_up_after: float | None = None, **which: Unpack[Which]
    ) -> Generator[Event[Body], None, None]:
        """The events of the collection that there are, and then what comes, for ever.

        Each comes once and none is left out, whatever breaks in between: it goes on after the last
        one. `after` the `position` of an event it begins exactly there. A connection on which
        nothing comes for `idle` seconds counts as lost. It tries for ever, or gives up when it has
        heard nothing for `give_up_after` seconds.

        Raises Gone and OtherLog where it can't go on, ConnectionFailed where it gives up.
        """
        return self._wire.each(self._calls.follow(idle, give_up_after, **which))

    def follow_all(
        self,
        collections: Sequence[str] = (),
        *,
        idle: float = IDLE,
        give_up_after: float | None = None,
        **which: Unpack[Which],
    ) -> Generator[Event[dict[str, Any]], None, None]:
        """The same for these collections, or for all of the store, with bodies as dicts."""
        course = self._calls.follow_all(collections, idle, give_up_after, **which)
        return self._wire.each(course)
