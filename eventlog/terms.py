"""On which terms a log takes commands."""

from __future__ import annotations

from dataclasses import dataclass, field

from itemstore.engine.acknowledgement import ENGINE, Acknowledgement
from itemstore.engine.disk_space import DiskSpace

REMEMBERED_SECONDS = 24 * 60 * 60
"""How long the outcome of an idempotency key is kept where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which commands are taken.

    `waiting` is how many may wait, `remembered_seconds` how long an idempotency key has its
    outcome, `acknowledgement` what is waited for after each batch, and `disk` where there has to
    be some.
    """

    waiting: int = 10_000
    remembered_seconds: int = REMEMBERED_SECONDS
    acknowledgement: Acknowledgement = ENGINE
    disk: DiskSpace = field(default_factory=DiskSpace)


DEFAULT = Terms()
