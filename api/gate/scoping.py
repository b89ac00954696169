"""What a token that is bound to collections or to prefixes of ids may be used for.

A resource that has no rule here takes only tokens that are bound to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.api.http.errors_as_problems import challenge
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Resource
from itemstore.eventlog.excerpts import quoted
from itemstore.store.scope import Scope

FOR_ANY = frozenset(
    {
        *("/", "/docs", "/docs/{file}", "/openapi.json", "*"),
        *("/explorer", "/explorer/{file}", "/explorer/{folder}/{file}"),
    }
)
"""Resources in which nothing is of any item."""

SIFTED = frozenset({"/batch", "/events"})
"""Resources that themselves give or take what is inside of request.scope, and nothing else."""

OF_ONE_COLLECTION = "/schemas/{collection}"

OF_COLLECTIONS = frozenset({"/projections", "/projections/{projection}", "/stats"})
"""Resources that give what is of whole collections, of those in request.scope."""

NAMED = 3
"""Collections and prefixes that a refusal names: the token may have more."""


def check_scope(request: Request, resource: Resource) -> None:
    """Raises Problem (403) where what the request is for is outside of its token's scope.

    Nothing of the item has been looked at by then, so that not even its existence shows.
    """
    template, collection = resource.template, resource.collection
    if template in FOR_ANY or template in SIFTED:
        return
    if template in OF_COLLECTIONS:
        check_every_id(request, template)
    elif template == OF_ONE_COLLECTION:
        check_collection(request, request.named("collection"))
    elif collection is not None and "id" in request.parameters:
        check_item(request, collection, request.item_id)
    elif collection is None or template != f"/{collection}":
        check_whole(request, template)
    elif request.method == "POST":
        check_new_item(request, collection)
    else:
        check_collection(request, collection)


def check_whole(request: Request, path: str) -> None:
    """Raises Problem (403) for a token that is bound to less than the whole store."""
    if not request.scope.is_whole:
        raise _outside(request, f"{path} wants one that is bound to nothing")


def check_every_id(request: Request, path: str) -> None:
    """Raises Problem (403) for a token that is bound to prefixes of ids."""
    if not request.scope.has_every_id:
        raise _outside(request, f"{path} wants one that is bound to no ids")


def check_item(request: Request, collection: str, item: str) -> None:
    """Raises Problem (403) for an item outside."""
    check_collection(request, collection)
    if not request.scope.may_touch(collection, item):
        raise _outside(request, f"it may not touch the item {quoted(item)}")


def check_new_item(request: Request, collection: str) -> None:
    """Raises Problem (403) where an id that the store chooses would be outside."""
    check_collection(request, collection)
    if not request.scope.has_every_id:
        raise _outside(request, "POST chooses another id, so PUT the item under one of those")


def check_collection(request: Request, collection: str) -> None:
    """Raises Problem (403) for a collection of which nothing is inside."""
    if not request.scope.sees(collection):
        raise _outside(request, f"it may not touch the collection {quoted(collection)}")


def _outside(request: Request, why: str) -> Problem:
    token = request.token
    assert token is not None
    sentence = f"The token {quoted(token.name)} is bound to {_bounds(token.scope)}; {why}."
    return Problem("forbidden", sentence, headers=challenge("insufficient_scope"))


def _bounds(scope: Scope) -> str:
    bounds = []
    if scope.collections is not None:
        bounds.append(f"the collection {_listed(sorted(scope.collections))}")
    if not scope.has_every_id:
        bounds.append(f"ids that begin with {_listed(scope.prefixes)}")
    return " and to ".join(bounds)


def _listed(names: Sequence[str]) -> str:
    shown = [quoted(each) for each in names[:NAMED]]
    if len(names) > NAMED:
        shown.append(f"{len(names) - NAMED} others")
    return " or ".join(shown)
