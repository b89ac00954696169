"""The names of hosts, and the addresses that they stand for."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address


@lru_cache(maxsize=128)
def may_be_a_strangers(host: bytes) -> bool:
    """Whether Host names neither an address nor localhost, which is nobody's (RFC 6761 §6.3)."""
    name = host.decode("latin-1").strip()
    bracketed, bracket, _ = name.partition("]")
    name = bracketed[1:] if bracket else name.partition(":")[0]
    name = name.rstrip(".").lower()
    is_localhost = name == "localhost" or name.endswith(".localhost")
    return not is_localhost and address_of(name) is None


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, None where it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families has IPv4's addresses as IPv6's, of which none is of loopback.
    return getattr(address, "ipv4_mapped", None) or address
