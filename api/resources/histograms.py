"""Histograms, in the form that prometheus-client takes."""

from __future__ import annotations

from collections.abc import Sequence


def buckets(bounds: Sequence[float], numbers: Sequence[float]) -> list[tuple[str, float]]:
    """Each upper bound with the number of all that is not above it."""
    sums, so_far = [], 0.0
    for bound, number in zip((*map(str, bounds), "+Inf"), numbers, strict=True):
        so_far += number
        sums.append((bound, so_far))
    return sums
