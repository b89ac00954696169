"""What an application developer adds to a store's application, and what of it can't work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from itemstore.api.http.routing import Resources

_PARAMETER = re.compile(r"\{[^}]*\}")

ANY = "~"
"""Stands for a parameter in a path: no collection and no path of the API is called so."""


class CannotAdd(TypeError):
    """Something was added that would not work: the sentence says why, and what to do."""


def check_middleware(kind: Callable[..., ASGIApp]) -> None:
    """Raises CannotAdd for a middleware that would break what the store promises."""
    if kind is GZipMiddleware:
        raise CannotAdd(
            "GZipMiddleware would send two bodies under one strong ETag, which is the version of "
            "an item (RFC 9110 §8.8.3.3). Compress in a proxy in front of the store, and leave "
            "answers with an ETag alone: docs/embedding.md says more."
        )


def check_routes(routes: Iterable[BaseRoute], resources: Resources) -> None:
    """Raises CannotAdd for an added route that no request comes to: the store has its path."""
    for path in _added_paths(routes):
        found = resources.find(_PARAMETER.sub(ANY, path).encode())
        if found is not None:
            template = found[0].template
            raise CannotAdd(
                f"The route {path} would never be asked: {template} of the store is there. Give it "
                'another path, such as one with a prefix: include_router(router, prefix="/shop").'
            )


def _added_paths(routes: Iterable[Any]) -> Iterator[str]:
    """Their paths, and those of the routers that are included."""
    for route in routes:
        if (included := getattr(route, "effective_route_contexts", None)) is not None:
            for each in included():  # FastAPI puts them together when they are asked for
                yield each.path or getattr(each.starlette_route, "path", "")
        elif path := getattr(route, "path", ""):
            yield path
