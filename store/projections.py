"""The projections of a store: those that every store has, and the operator's own."""

from __future__ import annotations

import re
from collections.abc import Collection

from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.projection import RESERVED, Projection
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.turned_off import TurnedOff
from itemstore.store.named import UnknownName, imported
from itemstore.store.settings import Settings
from itemstore.store.sql_place import database_of

PATIENCE = 86_400.0
"""Seconds that a command has for a read of a database, which may be all of it."""

_SAID = "ITEMSTORE_PROJECTIONS names"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def named_projections(
    names: str | None, collections: Collection[str] | None = None
) -> tuple[Projection, ...]:
    """All projections, with those that the setting names: `module:NAME`, separated by commas.

    `collections` are those of the store, where they are known. Raises UnknownName.
    """
    projections = [*BUILT_IN]
    for name in map(str.strip, names.split(",") if names else ()):
        projection = _imported(name)
        if not (isinstance(projection.name, str) and _NAME.fullmatch(projection.name)):
            reason = f", whose name, {projection.name!r}, is not of 1 to 64 letters, digits, - or _"
            raise UnknownName(_SAID, name, reason)
        if projection.name in {*RESERVED, *(each.name for each in projections)}:
            reason = f", whose name, {projection.name!r}, is taken: give it another one"
            raise UnknownName(_SAID, name, reason)
        for followed in getattr(projection, "collections", None) or ():
            if collections is not None and followed not in collections:
                reason = f", which is for {followed!r}: the store has no collection of that name"
                raise UnknownName(_SAID, name, reason)
        if (trouble := getattr(projection, "trouble", None)) is not None:
            raise UnknownName(_SAID, name, f", {trouble}")
        projections.append(projection)
    return tuple(projections)


def projections_of(settings: Settings, collections: Collection[str]) -> tuple[Projection, ...]:
    """All projections of a store of these collections, for a command: with the read model.

    Raises UnknownName, NotASqlUrl.
    """
    database = database_of(settings, seconds=PATIENCE)
    named = named_projections(settings.projections)
    if database is None:
        return (*named, TurnedOff())
    sql = SqlProjection(
        database,
        (*collections,),
        keys_of=keys_of,
        texts=texts,
        partitions=settings.partitions or 1,
    )
    return (*named, sql)


def _imported(name: str) -> Projection:
    projection = imported(_SAID, name, "module:NAME, several separated by commas")
    if isinstance(projection, type) or not isinstance(projection, Projection):
        reason = (
            ", which is not a projection: make one with CountingProjection, HandlerProjection, "
            "WebhookProjection or SqlHandlerProjection (docs/projections.md)"
        )
        raise UnknownName(_SAID, name, reason)
    return projection
