"""The two ends of a connection."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

Address = tuple[str, int] | None
"""Host and port; None for a socket that has none."""


class Ends(NamedTuple):
    """The two ends of a connection, and how it is spoken to: `http` or `https`."""

    scheme: str
    server: Address
    client: Address


def ends_of(transport: asyncio.Transport) -> Ends:
    """The ends that a transport has."""
    return Ends(
        "http" if transport.get_extra_info("sslcontext") is None else "https",
        _address(transport.get_extra_info("sockname")),
        _address(transport.get_extra_info("peername")),
    )


def _address(name: Any) -> Address:
    """Host and port of a name that a socket has; None for one that is no address."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
