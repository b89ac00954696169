"""The names of the keys: a contract with everybody who has redis-cli."""

from __future__ import annotations

import pytest

from itemstore.eventlog.keys import Keys


def test_the_keys_are_the_documented_ones() -> None:
    """In the namespace that a store has when nobody says another."""
    keys = Keys()
    assert keys.events == "items:events"
    assert keys.current == "items:current"
    assert keys.ids == "items:ids"
    assert keys.history("a/b é") == "items:history:a/b é"
    assert keys.history("a") == keys.histories + "a"
    assert keys.store.writer("w") == "itemstore:writers:w"


@pytest.mark.parametrize("namespace", ["shop", "{shop}:0"])
def test_every_key_begins_with_its_namespace(namespace: str) -> None:
    """So that a hash tag in it keeps them together in a cluster."""
    keys = Keys(namespace=namespace)
    names = [keys.events, keys.current, keys.ids, keys.history("a"), keys.store.writer("w")]
    assert all(name.startswith(f"{namespace}:") for name in names)
    assert len(set(names)) == len(names)
