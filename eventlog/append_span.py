"""What the span of an append says: its item, and the event that its command became."""

from __future__ import annotations

from itemstore.domain.commands import Command
from itemstore.domain.errors import CommandRefused
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.idempotency import AlreadyDone
from itemstore.eventlog.transaction import TransactionRefused
from itemstore.tracing import spans

OUTCOMES = (CommandRefused, TransactionRefused, AlreadyDone)
"""What is raised where a command became nothing, and nothing went wrong."""


def note_command(collection: str, command: Command) -> None:
    """Says which item the command is for."""
    spans.note({"itemstore.collection": collection, "itemstore.item": command.item})


def note_event(recorded: RecordedEvent) -> None:
    """Says which event it became."""
    spans.note(
        {
            "itemstore.event.id": recorded.id,
            "itemstore.event.type": recorded.type,
            "itemstore.item.version": recorded.version,
        }
    )
