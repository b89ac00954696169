"""The address of a server: its host and its port."""

from __future__ import annotations

Address = tuple[str, int]
"""Host and port."""


def written(address: Address) -> str:
    """As it stands in a URL."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
