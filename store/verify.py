"""A store's log folded and compared with all that is derived from it, for command and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from itemstore.engine.errors import LogBroken
from itemstore.eventlog.past import PastDamaged
from itemstore.eventlog.readiness import LogEnd, log_end
from itemstore.projections.progress import Report
from itemstore.projections.projection import Projection, follows
from itemstore.projections.verdict import Verdict
from itemstore.projections.verify.run import verify as compare
from itemstore.store.archive_check import complaints
from itemstore.store.store import Store
from itemstore.store.verdicts import Verdicts, unread_verdict


class NotVerified(Exception):
    """A log can't be read, so there is no verdict."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdicts, and where the log ended beside the engine's clock."""

    verdicts: Verdicts
    end: LogEnd

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return self.verdicts.as_dict() | {"ahead_seconds": self.end.ahead_seconds}


class Verifying:
    """The verification of collections of these names, of all without, and of the archive.

    `collection` is the one that is folded, empty before the first.
    """

    def __init__(
        self, store: Store, projections: Sequence[Projection], collections: Iterable[str] | None
    ) -> None:
        """Raises NoSuchCollection."""
        self.collection = ""
        self._store = store
        self._projections = projections
        self._chosen = store.chosen(collections)
        self._is_named = bool(collections)

    async def run(self, report: Report) -> Verified:
        """What was found. Raises NotVerified, PastUnavailable, and what the engine does."""
        found, in_archive, are_unread = dict[str, Verdict](), list[str](), False
        try:
            in_archive = await complaints(self._store, report)
            for name, each in self._chosen.items():
                self.collection = name
                own = [one for one in self._projections if follows(one, name)]
                found[name] = await compare(each.partition, own, report=report)
        except PastDamaged as error:
            in_archive, are_unread = in_archive or [str(error)], True
            unread = unread_verdict("the archive is damaged")
            found |= {each: unread for each in self._chosen if each not in found}
        except LogBroken as error:
            of = f"/{self.collection}: " if len(self._chosen) > 1 else ""
            raise NotVerified(f"{of}{error}") from None
        compared = {each.name for each in self._projections}
        verdicts = Verdicts(found, compared, in_archive, self._is_named, are_unread)
        end = await log_end(self._store.partition.client, verdicts.whole.position)
        return Verified(verdicts, end)
