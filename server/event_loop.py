"""The event loop of a server: uvloop's, in which a client has seconds for its TLS handshake."""

from __future__ import annotations

from typing import Any

import uvloop

HANDSHAKE_SECONDS = 10.0
"""Until then a client holds an open file and is counted nowhere: uvloop would give it a minute."""


class EventLoop(uvloop.Loop):
    """uvicorn hands on no bound for the handshake, so it is set where servers are made."""

    async def create_server(self, *args: Any, **options: Any) -> Any:
        """A server as uvloop makes it, with the bound where it speaks TLS."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", HANDSHAKE_SECONDS)
        return await super().create_server(*args, **options)
