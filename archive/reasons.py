"""Why the archive stands still, in words."""

from __future__ import annotations

import logging

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archiving import NotAllArchived
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.sealing import TakenBack
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.reminders import Reminders, StandingStill
from itemstore.eventlog.lease import LeaseLost

logger = logging.getLogger(__name__)


class ProcessEnded(Exception):
    """The process that archives has ended by itself."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The process that archives has ended ({code}). It is started again.")


FORESEEN = (
    LeaseLost,
    LogBroken,
    LogFull,
    LogUnavailable,
    NotAllArchived,
    NotItsArchive,
    Outrun,
    ProcessEnded,
    TakenBack,
)
"""Errors that say in a sentence what is wrong; those of the archive's place are among them."""


class Reasons:
    """Each reason is said once in a while.

    Those of the partitions of one store share `reminders`: what is wrong with all is said of one.
    """

    def __init__(self, archive: Archive | None = None, reminders: Reminders | None = None) -> None:
        self._reminders = reminders or Reminders()
        self._standing = StandingStill()
        self._place, self._of = "", dict[str, object]()
        if archive is not None and archive.whole is not None:
            self._place = archive.place
            self._of = {"partition": archive.partition}

    def warn(self, error: Exception, work: str = "archiving") -> None:
        """Logs why this work stands still, unless that was done a short time ago."""
        said = str(error)
        if self._reminders.is_due(said.replace(self._place, "") if self._place else said):
            self._standing.begin(work)
            logger.warning(
                "The archive stands still",
                extra={**self._of, "work": work, "reason": said},
                exc_info=None if isinstance(error, FORESEEN) else error,
            )

    def goes_on(self, work: str = "archiving") -> None:
        """Logs that this work went well, where it was said that it stands still."""
        if (seconds := self._standing.end(work)) is not None:
            told = {**self._of, "work": work, "seconds": seconds}
            logger.info("The archive goes on", extra=told)
