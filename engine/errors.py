"""Why the log did not take or give what it was asked for."""

from __future__ import annotations


class LogUnavailable(Exception):
    """The engine can't take or answer it now; the sentence says why.

    `retry_after` is the number of whole seconds after which trying again makes sense. An append
    that ends this way left no event or exactly one.
    """

    def __init__(self, sentence: str, retry_after: int = 1) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class LogOverloaded(LogUnavailable):
    """More commands are waiting than the queue holds. Nothing was appended."""


class LogFull(Exception):
    """The engine is out of memory, or of disk. Nothing was appended; reads go on."""


class LogBroken(Exception):
    """A key of the store holds what this store did not put there. Nothing was appended."""


class LogMoved(Exception):
    """Somebody else wrote to the log meanwhile; what came before that is in the log."""


class LogArchived(Exception):
    """A position is in the part of the log that is archived. Nothing was appended."""


class NotEmpty(Exception):
    """A key is there that an empty store does not have: the sentence is its name."""


class EventsRemoved(Exception):
    """The log has lost events that were read from it a moment ago."""
