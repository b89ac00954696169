"""From a path and a method to a handler: HEAD, OPTIONS, 405 and 404 for every resource alike.

The routes are FastAPI's, so OpenAPI describes them; the way to them is our own. It goes by the
raw path, in which a slash inside an id is still `%2F`, it knows every method of a resource, and
it costs a request of the hot path a tenth of what a router does (docs/decisions/0004).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from itemstore.api.http.media_types import OF_A_PATCH
from itemstore.api.http.page_reply import PageReply
from itemstore.api.http.paths import normalised
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.stream_reply import StreamReply
from itemstore.domain.events import ITEMS

AnyReply = Reply | PageReply | StreamReply

Handler = Callable[[Request], Awaitable[AnyReply]]

_PARAMETER = re.compile(rb"\{(\w+)\}")
"""A segment that a template names."""


class Route(APIRoute):
    """A route whose endpoint takes a Request and gives a Reply. Resources finds it, no router."""

    def __init__(self, path: str, endpoint: Handler, **options: Any) -> None:
        options["response_model"] = None
        super().__init__(path, _described(endpoint), **options)
        self.handler = endpoint
        self.collection: str | None = None
        self._options = options

    def of(self, collection: str) -> Route:
        """The same route of a collection, whose path begins with its name in place of `items`.

        So does its description: `put_item` is `put_products_item`, below the tag `products`.
        """
        path, options = self.path.replace(f"/{ITEMS}", f"/{collection}", 1), self._options
        if collection != ITEMS:
            verb, _, what = options["operation_id"].partition("_")
            name = f"{verb}_{collection.replace('-', '_')}_{what}"
            options = options | {"operation_id": name, "tags": [collection]}
        route = Route(path, self.handler, **options)
        route.collection = collection
        return route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:  # noqa: ARG002 - APIRoute's signature
        """Nothing: a router goes by the decoded path, in which `%2F` would separate segments."""
        return Match.NONE, {}


def _described(handler: Handler) -> Callable[[], None]:
    """What FastAPI reads of a handler: its name and its docstring.

    A parameter that is no Request of Starlette's it would take for one of the query.
    """

    def endpoint() -> None: ...

    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint


class Resource:
    """One path and all of its methods; `collection` is whose it is, None for the whole store's."""

    def __init__(self, template: str, collection: str | None = None, **handlers: Handler) -> None:
        self.template = template
        self.collection = collection
        self.handlers = handlers  # by method
        self.segments = template.encode().split(b"/")
        parts = [(at, each, _PARAMETER.fullmatch(each)) for at, each in enumerate(self.segments)]
        self._parameters = [(at, found[1].decode()) for at, _, found in parts if found]
        self._literals = [(at, each) for at, each, found in parts if at > 1 and not found]

    @property
    def allow(self) -> str:
        """The methods, as the Allow header names them (RFC 9110 §10.2.1)."""
        methods = {*self.handlers, "OPTIONS"}
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))

    def handler(self, method: str) -> Handler:
        """The handler of a method. Raises Problem (405)."""
        handler = self.handlers.get(method)
        if handler is not None:
            return handler
        if method == "HEAD" and "GET" in self.handlers:
            return self.handlers["GET"]
        if method == "OPTIONS":
            return self._options
        raise Problem(
            "method-not-allowed",
            f"{self.template} takes {self.allow}, not {method}.",
            headers={"Allow": self.allow},
        )

    def parameters_in(self, segments: Sequence[bytes]) -> dict[str, bytes] | None:
        """The segments of a path that the template names; None where its others differ.

        They are as many as it has, and the first is the same.
        """
        for at, literal in self._literals:
            if segments[at] != literal:
                return None
        parameters = {}
        for at, name in self._parameters:
            if not (segment := segments[at]):
                return None
            parameters[name] = segment
        return parameters

    async def _options(self, _: Request) -> Reply:
        headers = [(b"allow", self.allow.encode())]
        if "PATCH" in self.handlers:
            headers.append((b"accept-patch", ", ".join(OF_A_PATCH).encode()))
        return Reply(204, headers)


Found = tuple[Resource, dict[str, bytes]]
"""A resource, and the raw segments of a path that its template names."""


class Resources:
    """All resources of the API, found by their path."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        by_template: dict[str, Resource] = {}
        for route in routes:
            if isinstance(route, Route):
                resource = by_template.setdefault(
                    route.path, Resource(route.path, route.collection)
                )
                for method in route.methods or ():
                    resource.handlers[method] = route.handler
        self._resources: list[Resource] = []
        self._by_shape: dict[tuple[bytes, int], list[Resource]] = {}
        for resource in by_template.values():
            self.add(resource)
        self._server = Resource("*", OPTIONS=self._options)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources)

    def add(self, resource: Resource) -> None:
        """Adds a resource; no template begins with a parameter."""
        self._resources.append(resource)
        segments = resource.segments
        self._by_shape.setdefault((segments[1], len(segments)), []).append(resource)

    async def _options(self, _: Request) -> Reply:
        """What `OPTIONS *` asks for: all that any resource takes (RFC 9110 §9.3.7)."""
        methods = {method for each in self for method in each.allow.split(", ")}
        return Reply(204, [(b"allow", ", ".join(sorted(methods)).encode())])

    def find(self, raw_path: bytes) -> Found | None:
        """The resource at a raw path, with the segments that its template names."""
        segments = normalised(raw_path).split(b"/")
        if segments[0] or len(segments) == 1:
            return (self._server, {}) if raw_path == b"*" else None
        # Of a hundred collections, only one's resources are looked through.
        for resource in self._by_shape.get((segments[1], len(segments)), ()):
            parameters = resource.parameters_in(segments)
            if parameters is not None:
                return resource, parameters
        return None
