"""Expected versions: the condition that a command carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """The versions that an item may be at for a command to be admitted.

    `absent` says whether an item that does not exist is admitted. An existing item is admitted
    when its version is among `versions`, or, with `others`, when it is not among them.
    Conditions combine with `&`; both must then hold.
    """

    absent: bool
    versions: frozenset[int]
    others: bool

    def admits(self, version: int | None) -> bool:
        """Whether an item at `version` may be written; None stands for absent or deleted."""
        if version is None:
            return self.absent
        return (version in self.versions) is not self.others

    def __and__(self, other: ExpectedVersion) -> ExpectedVersion:
        absent = self.absent and other.absent
        if self.others and other.others:
            return ExpectedVersion(absent, self.versions | other.versions, others=True)
        listed, unlisted = (other, self) if self.others else (self, other)
        both = frozenset(version for version in listed.versions if unlisted.admits(version))
        return ExpectedVersion(absent, both, others=False)

    def __str__(self) -> str:
        if self in _NAMES:
            return _NAMES[self]
        listed = ", ".join(map(str, sorted(self.versions)))
        if self.others:
            return f"none of the versions {listed}" + ("" if self.absent else ", and present")
        return f"version {listed}" + (", or absent" if self.absent else "")


ANY = ExpectedVersion(absent=True, versions=frozenset(), others=True)
"""No condition."""

ABSENT = ExpectedVersion(absent=True, versions=frozenset(), others=False)
"""The item must not exist."""

PRESENT = ExpectedVersion(absent=False, versions=frozenset(), others=True)
"""The item must exist, at any version."""

NOTHING = ExpectedVersion(absent=False, versions=frozenset(), others=False)
"""No item is admitted."""

_NAMES = {ANY: "any", ABSENT: "absent", PRESENT: "present", NOTHING: "nothing"}


def one_of(*versions: int) -> ExpectedVersion:
    """The item must exist at one of these versions."""
    return ExpectedVersion(absent=False, versions=frozenset(versions), others=False)


def none_of(*versions: int) -> ExpectedVersion:
    """The item must not be at one of these versions; an absent one is admitted."""
    return ExpectedVersion(absent=True, versions=frozenset(versions), others=True)
