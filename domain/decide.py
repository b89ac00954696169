"""The one rule of the store: what event a command becomes."""

from __future__ import annotations

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import ItemNotFound
from itemstore.domain.events import Event, ItemCreated, ItemDeleted, ItemUpdated


def decide(command: Command, *, exists: bool) -> Event:
    """The event that the command becomes when the item exists, or does not.

    Raises ItemNotFound where there is nothing to patch or delete.
    """
    match command:
        case PutItem(item, body):
            return ItemUpdated(item, body) if exists else ItemCreated(item, body)
        case PatchItem(item, body) if exists:
            return ItemUpdated(item, body)
        case DeleteItem(item) if exists:
            return ItemDeleted(item)
    raise ItemNotFound(command.item)
