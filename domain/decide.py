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
        case PutItem():
            kind = ItemUpdated if exists else ItemCreated
            return kind(command.item, command.body)
        case PatchItem() if exists:
            return ItemUpdated(command.item, command.body)
        case DeleteItem() if exists:
            return ItemDeleted(command.item)
    raise ItemNotFound(command.item)
