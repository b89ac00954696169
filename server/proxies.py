"""What a proxy in front says of a request: who sent it, and whether by TLS.

Only a proxy that the operator trusts is believed: anybody can send such a header field. The host is
not among what is read: a proxy passes Host on as it came (docs/decisions/0093).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from itemstore.server.ends import Address, Ends

FOR = b"x-forwarded-for"
PROTO = b"x-forwarded-proto"

EVERYBODY = "*"

Fields = Sequence[tuple[bytes, bytes]]


class NotAProxy(ValueError):
    """This names no address that a proxy could have."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"It takes addresses and networks, such as 10.0.0.1,192.168.0.0/16, or *, and not "
            f"{name!r}"
        )


class Proxies:
    """Those that are trusted: addresses and networks, or `*` for all, separated by commas.

    Whoever comes through a unix socket is trusted too: who that may be is decided by its mode.
    """

    def __init__(self, trusted: str) -> None:
        """Raises NotAProxy."""
        names = [each.strip() for each in trusted.split(",")]
        self._all = names == [EVERYBODY]
        self._networks = [] if self._all else [_network(each) for each in names]
        self._has = lru_cache(maxsize=1024)(self._looked_up)

    def trust(self, ends: Ends) -> bool:
        """Whether what the other end says of a request is believed."""
        if ends.client is None:
            return ends.server is not None and ends.server[0].startswith("/")
        return self._all or self._has(ends.client[0])

    def ends(self, ends: Ends, fields: Fields) -> Ends:
        """The ends of a request that came through a trusted proxy: its client's, and its scheme."""
        scheme, client = ends.scheme, ends.client
        if senders := [value for name, value in fields if name == FOR]:
            client = self._client(b",".join(senders).decode("latin-1")) or client
        for name, value in fields:
            if name == PROTO:  # the first of several proxies has ended TLS
                said = value.partition(b",")[0].strip(b" \t").lower()
                scheme = said.decode() if said in {b"http", b"https"} else scheme
        return Ends(scheme, ends.server, client)

    def _client(self, senders: str) -> Address:
        """The last sender that is no trusted proxy: those before it may be made up.

        Where all are trusted, the first; None where the last one is no address.
        """
        client: Address = None
        for host, port in _reversed_senders(senders):
            client = host, port
            if not (self._all or self._has(host)):
                break
        return client

    def _looked_up(self, host: str) -> bool:
        try:
            address = _plain(ip_address(host))
        except ValueError:
            return False
        return any(address in network for network in self._networks)


@lru_cache(maxsize=8)
def trusted_proxies(names: str) -> Proxies:
    """The proxies of these names; the same ones for every connection. Raises NotAProxy."""
    return Proxies(names)


def _network(name: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(name)
    except ValueError:
        raise NotAProxy(name) from None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """IPv4's address where it is written as one of IPv6: a socket for both has them so."""
    return getattr(address, "ipv4_mapped", None) or address


def _reversed_senders(senders: str) -> Iterator[tuple[str, int]]:
    """Host and port of each, the last first, up to one that is no address; 0 for no port."""
    for sender in reversed(senders.split(",")):
        host, port = _host_and_port(sender.strip())
        try:
            ip_address(host)
        except ValueError:
            return
        yield host, int(port) if port.isdecimal() and len(port) <= len("65535") else 0


def _host_and_port(sender: str) -> tuple[str, str]:
    if sender.startswith("["):
        host, _, rest = sender[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = sender.partition(":")
    return (sender, "") if ":" in port else (host, port)  # an address of IPv6 without brackets
