"""Real servers that the explorer is looked at on: one open to all, and one that wants a token."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from itemstore.store import tokens
from itemstore.store.opening import open_to_serve
from itemstore.store.scope import WHOLE, Scope
from itemstore.store.settings import Settings
from tests.conftest import ROOT
from tests.server.conftest import serving

COLLECTIONS = "products=tests.explorer.shop:Product,orders=any"

SERVED = (
    "--collections", COLLECTIONS, "--indexes", "products=price_cents", "--text", "products=title",
)  # fmt: skip

SETTING_ASIDE = ("--projections", "tests.explorer.shop:PARCELS")


@dataclass(frozen=True, slots=True)
class Store:
    """A store that is served: where, and what gets one in."""

    url: str
    client: httpx.Client
    """May do everything."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """A token of each of `admin`, `writer`, `reader` and `bound`; none where it is open to all.
    The bound one may write orders, and only those whose ids begin with `mine-`."""


@contextmanager
def served(
    directory: Path,
    secrets: Mapping[str, str] | None = None,
    partitions: int = 1,
    options: tuple[str, ...] = (),
) -> Iterator[Store]:
    """A server on what is in the directory, for the block."""
    secrets = secrets or {}
    token = {"Authorization": f"Bearer {secrets['admin']}"} if secrets else {}
    with serving(directory) as start:
        divided = ("--partitions", str(partitions))
        server = start(*SERVED, *divided, *options, queries=True, PYTHONPATH=str(ROOT))
        with httpx.Client(base_url=server.url, headers=token, timeout=30) as client:
            yield Store(server.url, client, secrets)


def closed(directory: Path) -> dict[str, str]:
    """Makes a store in the directory that wants a token: one of each kind."""
    with ThreadPoolExecutor() as thread:  # in this one, Playwright's event loop may be running
        return thread.submit(asyncio.run, _tokens_made(directory)).result()


async def _tokens_made(directory: Path) -> dict[str, str]:
    roles = {"admin": "admin", "writer": "writer", "reader": "reader", "bound": "writer"}
    bounds = {"bound": Scope(frozenset({"orders"}), ("mine-",))}
    settings = Settings(data_dir=directory / "data", collections=COLLECTIONS, sql_url="off")
    async with open_to_serve(settings) as store:
        return {
            name: await tokens.create(
                store.partition, name, tokens.Role[role], bounds.get(name, WHOLE)
            )
            for name, role in roles.items()
        }
