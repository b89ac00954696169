"""Work cut into steps, none of which is too much for the engine at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Part = TypeVar("Part")


def steps(
    parts: Iterable[Part], size: Callable[[Part], int], *, most: int, most_bytes: int
) -> Iterator[list[Part]]:
    """The parts in order, in steps of at most `most` and `most_bytes`; a large one stands alone."""
    step: list[Part] = []
    so_far = 0
    for part in parts:
        bytes_of_part = size(part)
        if step and (len(step) == most or so_far + bytes_of_part > most_bytes):
            yield step
            step, so_far = [], 0
        step.append(part)
        so_far += bytes_of_part
    if step:
        yield step
