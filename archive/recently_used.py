"""What was asked for last, kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class RecentlyUsed(Generic[_Key, _Value]):
    """Things of some size, those that were asked for last: their sizes are `most` together.

    The newest one is kept however large it is.
    """

    def __init__(self, most: int) -> None:
        self.most, self._size = most, 0
        self._things: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        """The thing, None where it is not kept."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: _Key, thing: _Value, size: int) -> None:
        """Keeps a thing; those that were not asked for longest make room."""
        if key in self._things:
            return
        self._things[key] = thing, size
        self._size += size
        while self._size > self.most and len(self._things) > 1:
            _, (_, oldest) = self._things.popitem(last=False)
            self._size -= oldest
