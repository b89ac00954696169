"""The URL of an engine that sentinels watch.

    redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DATABASE?sentinel_password=…

User and password are those of the engine. With `rediss+sentinel` all of it is over TLS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from itemstore.engine.address import Address

SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
"""Of such a URL, and of the engine that is found by it."""

PORT = 26379
"""Where a sentinel listens that is not set to another port."""

_OF_SENTINELS = "sentinel_"
"""What names begin with in a query that are for the sentinels, and not for the engine."""


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """Where the sentinels are, what they call the engine, and how to get into both.

    `engine` is a URL of the engine with another host in place of its own.
    """

    sentinels: tuple[Address, ...]
    service: str
    engine: str
    credentials: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, url: str) -> SentinelUrl:
        """What a URL says. Raises ValueError, which does not quote it."""
        parts = urlsplit(url)
        secrets, at, hosts = parts.netloc.rpartition("@")
        _, service, *database = parts.path.split("/")
        if not service or len(database) > 1 or not all(map(str.isdigit, database)):
            raise ValueError
        if "@" in secrets:
            raise ValueError
        said = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
        of_engine = [each for each in said if not each[0].startswith(_OF_SENTINELS)]
        query = f"?{urlencode(of_engine)}" if of_engine else ""
        return cls(
            tuple(map(_address, hosts.split(","))),
            unquote(service),
            f"{SCHEMES[parts.scheme]}://{secrets}{at}sentinel/{''.join(database)}{query}",
            tuple(
                (name.removeprefix(_OF_SENTINELS), value)
                for name, value in said
                if name.startswith(_OF_SENTINELS)
            ),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What connections to the sentinels are made with, besides what those to the engine are."""
        known = {"username", "password"}
        if not known.issuperset(name for name, _ in self.credentials):
            raise ValueError
        return dict.fromkeys(known) | dict(self.credentials)


def _address(host: str) -> Address:
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.path or parts.username is not None:
        raise ValueError
    return parts.hostname, parts.port or PORT
