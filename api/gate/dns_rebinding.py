"""DNS rebinding: a web page whose own name is pointed at this machine.

A browser lets the page of http://name.example read and write whatever answers at that name, and
the owner of the name can point it at 127.0.0.1. A store without tokens serves the people on its
machine; so on loopback it answers only to names that no other person can point there. The same
goes for a unix socket, which a browser reaches through a proxy.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request


def check_name(request: Request) -> None:
    """Raises Problem (421) for a request that names another host (RFC 9110 §15.5.20)."""
    if names_another_host(request):
        host = request.fields[b"host"]
        sentence = (
            f"This store has no tokens, so it answers to localhost and to addresses only, and not "
            f"to {host[:100].decode('latin-1')}."
        )
        raise Problem("misdirected", sentence)


def names_another_host(request: Request) -> bool:
    """Whether a request to a store without tokens names a host that a stranger may own."""
    server = request.ends.server
    host = request.fields.get(b"host")
    if server is None or not host or request.store.settings.insecure_no_auth:
        return False
    return _is_foreign(server[0], host)


@lru_cache(maxsize=128)
def _is_foreign(server: str, host: bytes) -> bool:
    """Whether a connection to this machine alone names a host that a stranger may own."""
    address = _address(server)
    is_local = server.startswith("/") if address is None else address.is_loopback
    if not is_local:
        return False
    name = host.decode("latin-1").strip()
    bracketed, bracket, _ = name.partition("]")
    name = bracketed[1:] if bracket else name.partition(":")[0]
    name = name.rstrip(".").lower()
    is_own = name == "localhost" or name.endswith(".localhost")  # RFC 6761 §6.3
    return not is_own and _address(name) is None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families has IPv4's addresses as IPv6's, of which none is of loopback.
    return getattr(address, "ipv4_mapped", None) or address
