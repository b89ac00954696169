"""DNS rebinding: a web page whose own name is pointed at this machine.

A browser lets the page of http://name.example read and write whatever answers at that name, and
the owner of the name can point it at 127.0.0.1. A store without tokens serves the people on its
machine; so on loopback it answers only to names that no other person can point there. The same
goes for a unix socket, which a browser reaches through a proxy.
"""

from __future__ import annotations

from functools import lru_cache

from itemstore.api.http.hosts import address_of
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
    if not request.typed.names_a_stranger or request.store.settings.insecure_no_auth:
        return False
    server = request.ends.server
    return server is not None and _is_of_this_machine_alone(server[0])


@lru_cache(maxsize=128)
def _is_of_this_machine_alone(server: str) -> bool:
    """Whether nobody but this machine reaches the address, or the path of a socket."""
    address = address_of(server)
    return server.startswith("/") if address is None else address.is_loopback
