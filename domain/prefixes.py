"""Prefixes of ids: which ids begin with one of several, as few as say the same.

Text is compared by code points, which is the order of its bytes in UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

EVERY_ID = ("",)
"""The prefixes with which every id begins."""


def collapsed(prefixes: Iterable[str]) -> tuple[str, ...]:
    """The prefixes in order, without those that begin with another: no id has two of them."""
    kept: list[str] = []
    for prefix in sorted(prefixes):  # one comes right before those that begin with it
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return tuple(kept)


def narrowed(prefixes: Sequence[str], wanted: str) -> tuple[str, ...]:
    """The prefixes of the ids that begin with one of these and with what is wanted.

    None at all where no id does both.
    """
    if wanted.startswith(tuple(prefixes)):
        return (wanted,)
    return collapsed(prefix for prefix in prefixes if prefix.startswith(wanted))
