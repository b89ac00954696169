"""What a request is made of, whichever server took it."""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import Request as StarletteRequest
from starlette.types import Receive, Scope

from itemstore.api.http.paths import own_path, root_path
from itemstore.api.http.request_ids import request_id_of
from itemstore.server.ends import Ends
from itemstore.server.fields_by_name import FieldsByName, fields_by_name


class Incoming(Protocol):
    """A request as it comes: from our own server (its Exchange), or from another by ASGI.

    `path` is as it was sent, without `root`, what stands in front of every path of this API;
    `by_name` are the header fields, which nobody changes: other requests may have the same.
    `take_body` gives a body that is there, once, and None where it is to be received.
    """

    root: str

    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> bytes: ...  # noqa: D102
    @property
    def query(self) -> bytes: ...  # noqa: D102
    @property
    def by_name(self) -> FieldsByName: ...  # noqa: D102
    @property
    def ends(self) -> Ends: ...  # noqa: D102
    @property
    def request_id(self) -> str: ...  # noqa: D102

    def take_body(self) -> bytes | None: ...  # noqa: D102

    async def receive(self) -> Any:
        """The next message of ASGI: a part of the body, or that the client has left."""

    async def has_left(self) -> bool:
        """Whether the client has left."""


class AsgiIncoming:
    """A request that a server gives by ASGI."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.root = root_path(scope)
        self.path = own_path(scope)
        self.query: bytes = scope.get("query_string", b"")
        self.by_name = fields_by_name(scope["headers"])
        scheme = scope.get("scheme", "http")
        self.ends = Ends(scheme, scope.get("server"), scope.get("client"))
        self.request_id = request_id_of(scope)

    def take_body(self) -> None:
        """Nothing: it is to be received."""

    async def receive(self) -> Any:
        """The next message of ASGI."""
        return await self._receive()

    async def has_left(self) -> bool:
        """Whether the client has left, as far as that is known without waiting."""
        return await StarletteRequest(self._scope, self._receive).is_disconnected()
