"""A command whose outcome somebody is told the moment that it is there, and who is no coroutine."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.domain.commands import Command
from itemstore.eventlog.append import Append, Meta
from itemstore.eventlog.appends import AppendCounts
from itemstore.eventlog.batching import Caller
from itemstore.eventlog.keys import Keys


class AppendFor(Append):
    """An Append that waits for its own lines, and tells its caller the event that they mean."""

    __slots__ = ("_caller", "_counts")

    def __init__(
        self, caller: Caller, counts: AppendCounts, keys: Keys, command: Command, meta: Meta
    ) -> None:
        Append.__init__(self, keys, command, meta, None)  # super() would look it up each time
        self._caller = caller
        self._counts = counts

    def done(self) -> bool:
        """Whether no answer is wanted any more."""
        return self._caller.done()

    def set_result(self, lines: Sequence[bytes]) -> None:
        """Tells the event, or why there is none."""
        try:
            recorded = self.outcome(*lines)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            self._caller.set_exception(error)
            return
        self._counts.count(recorded)
        self._caller.set_result(recorded)

    def set_exception(self, error: Exception) -> None:
        """Tells what became of the whole batch."""
        self._caller.set_exception(error)
