"""`?source=`: the collections that a request is about, by their paths."""

from __future__ import annotations

from itemstore.api.gate.scoping import check_collection
from itemstore.api.http.query_parameters import invalid_parameters
from itemstore.api.http.request import Request
from itemstore.eventlog.excerpts import quoted
from itemstore.store.collection import Collection

NAMED = 20
"""Collections that a refusal names: a store may have many more."""


def collection_at(request: Request, source: str) -> Collection:
    """The collection with this path.

    Raises Problem: 422 for one that there is not, 403 for one that is outside of the scope.
    """
    for each in request.store.collections.values():
        if each.path == source:
            check_collection(request, each.name)
            return each
    detail = f"There is no collection {quoted(source)}; {_there_are(request)}."
    raise invalid_parameters([{"parameter": "source", "detail": detail}])


def _there_are(request: Request) -> str:
    """The paths that may be asked for, in words."""
    collections = request.store.collections.values()
    paths = [each.path for each in collections if request.scope.sees(each.name)]
    if not paths:
        return "none that there is may be read with this token"
    if len(paths) > NAMED:
        paths[NAMED:] = [f"{len(paths) - NAMED} others"]
    return f"there are {', '.join(paths)}"
