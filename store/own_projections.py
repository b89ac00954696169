"""The projections of an operator's own that handle events: how it stands with them, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itemstore.eventlog.partition import Partition
from itemstore.projections.overview import by_collection, log_states, projection_states
from itemstore.projections.own.state import State, states_of
from itemstore.store.named import UnknownName
from itemstore.store.projections import named_projections
from itemstore.store.store import Store


class NothingHandled(Exception):
    """No projection of this name has handled events of the store."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No projection {name!r} has handled events of this store. GET /projections and "
            "`itemstore info` show those that do."
        )


async def own_projections(store: Store) -> list[dict[str, Any]] | str | None:
    """Each of them in each collection; a sentence where the setting can't be followed.

    None where the setting names none. What can't be said has a `reason` and no `state`. Raises
    LogUnavailable.
    """
    if store.settings.projections is None:
        return None
    try:
        named = named_projections(store.settings.projections)
    except UnknownName as error:
        return str(error)
    partitions = [one for each in store.collections.values() for one in each.partitions]
    states = by_collection(await projection_states(await log_states(partitions), named))
    told: list[dict[str, Any]] = []
    for each in states:
        known: dict[str, Any] = {"collection": each.collection, "projection": each.projection}
        try:
            status = each.status
        except Exception as error:  # noqa: BLE001 - it may be the operator's own
            told.append(known | {"state": None, "reason": str(error)})
            continue
        if (of := status.handling) is not None:
            told.append(
                known
                | {"state": of.state, "lag": status.lag, "reason": of.reason}
                | {"failing": of.failing, "handled": of.handled, "failures": of.failures}
                | {"dead_letters": of.dead_letters}
            )
    return told


async def partitions_handled(store: Store, name: str) -> Sequence[Partition]:
    """The partitions of all collections of which a projection has handled events.

    The projection need not be named by a setting. Raises NothingHandled, LogUnavailable.
    """
    partitions = [one for each in store.collections.values() for one in each.partitions]
    states = await states_of(partitions, name)
    found = [
        partition
        for partition, state in zip(partitions, states, strict=True)
        if isinstance(state, State) and (state.position is not None or state.dead_letters)
    ]
    if not found:
        raise NothingHandled(name)
    return found
