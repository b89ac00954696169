"""What is wrong is logged once in a while, and not at each try of work that goes on by itself."""

from __future__ import annotations

from time import monotonic

SECONDS = 60.0
"""After so long a reason that still holds is logged again."""


class Reminders:
    """What was said a short time ago."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, ...], float] = {}

    def is_due(self, *said: str) -> bool:
        """Whether something is to be said: then it counts as said."""
        now = monotonic()
        if now < self._until.get(said, 0.0):
            return False
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[said] = now + SECONDS
        return True


class StandingStill:
    """What stands still, as was said, and since when."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, ...], float] = {}

    def begin(self, *what: str) -> None:
        """Notes that it was said of something."""
        self._since.setdefault(what, monotonic())

    def end(self, *what: str) -> float | None:
        """The seconds for which it did, where it was said: it goes on. Else None."""
        since = self._since.pop(what, None) if self._since else None
        return None if since is None else round(monotonic() - since, 3)
