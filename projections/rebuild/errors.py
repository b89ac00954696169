"""Why a rebuild does not take place. The live projection is as it was."""

from __future__ import annotations

from collections.abc import Iterable


class RebuildRefused(Exception):
    """It can't begin; the sentence says what to do."""


class UnknownProjection(RebuildRefused):
    """There is no projection of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no projection {name!r}; there are {', '.join(names)}.")
        self.name = name


class RebuildRunning(RebuildRefused):
    """Another rebuild runs, or was cut off less than `seconds` ago."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"A rebuild is running. If it was cut off, another can begin in {seconds:.0f} seconds."
        )
        self.seconds = seconds


class LogIncomplete(RebuildRefused):
    """The log has lost events, which only the live projection still knows of."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The log {what}: a rebuild would lose what these events made. Restore the log first."
        )
