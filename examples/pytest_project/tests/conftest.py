"""What the fixtures of itemstore.testing are told: which models the store has."""

from __future__ import annotations

import pytest

from domain.product import Product


@pytest.fixture
def itemstore_collections() -> dict[str, type[Product]]:
    """The shop's, also for the fixtures that the store brings."""
    return {"products": Product}


@pytest.fixture
def itemstore_options() -> list[str]:
    """The same for the real server."""
    return ["--app", "api:application"]
