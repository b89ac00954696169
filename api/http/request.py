"""A request as handlers see it: header fields, path, the body within its limit, what is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Message

from itemstore.api.context import Context
from itemstore.api.http.header_fields import text_of
from itemstore.api.http.incoming import Incoming
from itemstore.api.http.media_types import TAKEN, checked_media_type
from itemstore.api.http.paths import encoded, item_id
from itemstore.api.http.problems import Problem
from itemstore.api.http.typed_fields import TypedFields, typed_fields_of
from itemstore.domain.errors import ItemNotFound
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.transaction import Outcome
from itemstore.store.collection import Collection
from itemstore.store.model import ItemModel
from itemstore.store.scope import WHOLE, Scope
from itemstore.store.tokens import Token

Result = TypeVar("Result")


class Request:
    """One request to a resource of the store.

    `parameters` are the raw segments of the path that its template names, still percent-encoded.
    `fields` are the header fields by lower-case name, repeated ones joined by commas (§5.2), and
    `typed` what those say that are asked for again and again. What is found out about a request is
    noted in it: its token, the token's name as `actor`, its Idempotency-Key as `key`, what a batch
    with that key became before as `outcome`, and the id of the log that it reads. `root` is what
    stands in front of every path of this API, and usually empty. Only a request to a resource of a
    collection has a `collection`.
    """

    token: Token | None = None
    actor: str | None = None
    key: str | None = None
    idempotency: IdempotencyKey | None = None
    outcome: Sequence[Outcome] | None = None
    log_id = ""
    _content: bytes | None = None

    collection: Collection

    def __init__(
        self,
        incoming: Incoming,
        context: Context,
        parameters: dict[str, bytes],
        collection: str | None = None,
    ) -> None:
        self._incoming = incoming
        self.method = incoming.method
        self.query = incoming.query
        self.ends = incoming.ends
        self.root = incoming.root
        self.fields = incoming.by_name
        self.typed: TypedFields = self.fields.typed or typed_fields_of(self.fields)
        self.context = context
        self.store = context.store
        self.parameters = parameters
        self.is_of_a_collection = collection is not None
        if collection is not None:
            self.collection = context.store.collections[collection]

    @property
    def id(self) -> str:
        """The id of the request, as it is answered in X-Request-ID and logged."""
        return self._incoming.request_id

    def field(self, name: bytes) -> str | None:
        """A header field's value, None where the request does not have it."""
        return text_of(self.fields, name)

    @property
    def path(self) -> str:
        """The path as it was sent, percent-encoded, the root path included."""
        return self.root + encoded(self._incoming.path)

    @property
    def base(self) -> str:
        """The URL path of the collection."""
        return self.root + self.collection.path

    def not_found(self, deleted_version: int | None = None) -> ItemNotFound:
        """What says that the item in the path does not exist, or no longer does."""
        return ItemNotFound(self.item_id, deleted_version, collection=self.collection.name)

    def named(self, parameter: str) -> str:
        """The name that stands for a parameter in the path, as it was sent."""
        return self.parameters[parameter].decode("latin-1")

    @property
    def item_id(self) -> str:
        """The id in the path. Raises InvalidItemId where it can't be one."""
        return item_id(self.parameters["id"])

    @property
    def log_reader(self) -> LogReader:
        """What reads the events of the item in the path. Raises InvalidItemId."""
        return self.collection.log.reader_of(self.item_id)

    @property
    def model(self) -> ItemModel:
        """That of the collection's items."""
        return self.context.models[self.collection.name]

    @property
    def meta(self) -> dict[str, str]:
        """What the log keeps about a write: its actor, its idempotency key, its trace context."""
        meta = {}
        if self.actor is not None:
            meta["actor"] = self.actor
        if self.key is not None:
            meta["key"] = self.key
        if self.typed.traceparent is not None:
            meta["traceparent"] = self.typed.traceparent
        return meta

    async def content(self) -> tuple[str, bytes]:
        """The body and its media type, one of those that the method takes.

        Raises Problem 413 and 415.
        """
        media_type = self.check_content()
        return media_type, await self.read()

    def check_content(self) -> str:
        """The media type of the body; empty where the method takes none. Raises Problem."""
        if self.method not in TAKEN:
            return ""
        self._check_size(self.typed.length)
        fields = self.fields
        content_type, coding = fields.get(b"content-type", b""), fields.get(b"content-encoding")
        return checked_media_type(self.method, content_type, coding)

    async def check_connected(self) -> None:
        """Raises ClientDisconnect where the client has gone, so that no work is done for it."""
        if await self._incoming.has_left():
            raise ClientDisconnect

    @property
    def scope(self) -> Scope:
        """What the request may touch: all, unless its token is bound to less."""
        return WHOLE if self.token is None else self.token.scope

    async def check_still_allowed(self) -> None:
        """Raises TokenInvalid where an answer that takes long may not go on.

        The token was revoked meanwhile, or its time is over (TokenExpired).
        """
        await self.context.tokens.check_still_allowed(self.token)

    async def worked_out(self, work: Callable[[], Result]) -> Result:
        """The result of work that is done off the event loop.

        Raises Overloaded, as SlowWork.run does, and TokenInvalid where it was revoked meanwhile.
        """
        began = time.monotonic()
        result = await self.context.slow_work.run(work)
        await self.context.tokens.check_after(began, self.token)
        return result

    async def read(self) -> bytes:
        """The whole body; it may be read more than once.

        Raises Problem 413, and TokenInvalid where it was revoked while the body came.
        """
        if self._content is None:
            body = self._incoming.take_body()
            if body is None:
                self._check_size(self.typed.length)
                body = await self._received()
            self._check_size(len(body))
            self._content = body
        return self._content

    def read_at_hand(self) -> bytes:
        """The same of a request that came whole. Raises Problem 413."""
        if self._content is None:
            body = self._incoming.take_body() or b""
            self._check_size(len(body))
            self._content = body
        return self._content

    def _check_size(self, size: int) -> None:
        """Raises Problem (413) where a body of so many bytes is larger than the limit."""
        if size > (limit := self.store.settings.max_body):
            sentence = f"The body is larger than the {limit} bytes that are allowed."
            raise Problem("content-too-large", sentence, members={"limit": limit})

    async def _received(self) -> bytes:
        began = time.monotonic()
        message = await self._message()
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            chunks, size = [body], len(body)
            while message.get("more_body", False):
                message = await self._message()
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                self._check_size(size)
            body = b"".join(chunks)
        await self.context.tokens.check_after(began, self.token)
        return body

    async def _message(self) -> Message:
        message: Message = await self._incoming.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message
