"""What a write waits for before it is answered: ITEMSTORE_DURABILITY."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from itemstore.engine.errors import LogUnavailable

PATTERN = r"^(engine|fsync|replicas:[1-9][0-9]?)$"
"""What ITEMSTORE_DURABILITY may say."""

WAIT_MS = 1000
"""How long the engine itself waits for a disk or a replica before it says how far it came."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the store waits for, after a write, before it answers.

    With `fsync` the engine says that the write is on its own disk (WAITAOF). With `replicas`,
    that this many replicas have it (WAIT). With neither the engine's reply is enough, and its own
    settings say what that means.
    """

    fsync: bool = False
    replicas: int = 0

    @classmethod
    def of(cls, setting: str) -> Acknowledgement:
        """What ITEMSTORE_DURABILITY says: `engine`, `fsync` or `replicas:<number>`."""
        if not re.match(PATTERN, setting):
            message = f"Durability is engine, fsync or replicas:<number>, not {setting!r}."
            raise ValueError(message)
        name, _, number = setting.partition(":")
        return cls(fsync=name == "fsync", replicas=int(number or 0))

    def __str__(self) -> str:
        """The setting that it is made from: `engine`, `fsync` or `replicas:<n>`."""
        return f"replicas:{self.replicas}" if self.replicas else "fsync" if self.fsync else "engine"

    @property
    def command(self) -> tuple[str | int, ...] | None:
        """The command that waits, on the connection that wrote; None where nothing is waited for.

        The engine answers for all that was written before it on that connection, and what others
        wrote before that.
        """
        if self.replicas:
            return "WAIT", self.replicas, WAIT_MS
        return ("WAITAOF", 1, 0, WAIT_MS) if self.fsync else None

    def check(self, reply: Any) -> None:
        """Raises NotYetDurable where the reply to the command says that it is not reached."""
        if self.replicas and reply < self.replicas:
            message = f"{reply} of {self.replicas} replicas confirmed the write in time."
            raise NotYetDurable(message)
        if self.fsync and reply[0] < 1:
            message = "The engine did not bring the write to its disk in time."
            raise NotYetDurable(message)


ENGINE = Acknowledgement()
"""The engine's reply is enough."""


class NotYetDurable(LogUnavailable):
    """A write is in the log, but not yet where ITEMSTORE_DURABILITY wants it."""
