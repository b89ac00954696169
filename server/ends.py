"""The two ends of a connection."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

Address = tuple[str, int | None] | None
"""Host and port; of a unix socket its path and None, as ASGI has it; None for what has no name."""


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
    """Host and port of a name that a socket has; None for the client's end of a unix socket."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return (name, None) if name and isinstance(name, str) else None
