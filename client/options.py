"""What both clients can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

import httpx

from itemstore.client.retries import Retries

TIMEOUT = 10.0
"""Seconds: a store answers a write within two, or says that it can't."""

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)
"""The store closes a connection that was idle for 5 seconds: we do before that."""


class Options(TypedDict, total=False):
    """What a client can be told beside its URL and its model.

    `collection`: which one, `items` without. `token`: the bearer token, or the file that has it, as
    a Path, which is read for each request, so that it may be changed there. `retries`: how often
    and how long a request is tried. `headers`: fields that every request is to have, such as
    `X-Request-ID`. `timeout`: seconds for a connection to be made and for each part of an answer to
    come, 10 without. `uds`: the path of the unix socket where the store listens.
    """

    collection: str
    token: str | Path | None
    retries: Retries
    headers: Mapping[str, str]
    timeout: float
    uds: str | Path | None


@dataclass(frozen=True, slots=True)
class Access:
    """Where the store is, and what every request says."""

    url: str
    token: str | Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, str]:
        """The header fields of every request, as of now."""
        fields = {name.lower(): value for name, value in self.headers.items()}
        token = self.token.read_text().strip() if isinstance(self.token, Path) else self.token
        return fields | ({} if token is None else {"authorization": f"Bearer {token}"})

    @property
    def prefix(self) -> str:
        """The path that the API is mounted under."""
        return urlsplit(self.url).path


def access_of(url: str, options: Options) -> Access:
    """What the options say of the way to the store. Raises ValueError for what is no URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError(f"{url!r} is no URL of a store: http://localhost:8000 is one.")
    return Access(url.rstrip("/"), options.get("token"), options.get("headers", {}))


def blocking_http(transport: httpx.BaseTransport | None, options: Options) -> httpx.Client:
    """A client of httpx, as the options want it."""
    uds = options.get("uds")
    if transport is None and uds is not None:
        transport = httpx.HTTPTransport(uds=str(uds), limits=LIMITS)
    return httpx.Client(transport=transport, limits=LIMITS, timeout=options.get("timeout", TIMEOUT))


def async_http(transport: httpx.AsyncBaseTransport | None, options: Options) -> httpx.AsyncClient:
    """The same, for coroutines."""
    uds = options.get("uds")
    if transport is None and uds is not None:
        transport = httpx.AsyncHTTPTransport(uds=str(uds), limits=LIMITS)
    timeout = options.get("timeout", TIMEOUT)
    return httpx.AsyncClient(transport=transport, limits=LIMITS, timeout=timeout)
