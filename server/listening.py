"""The socket that a server listens on."""

from __future__ import annotations

import logging
import socket
import time
from errno import EADDRINUSE
from ipaddress import IPv6Address

PATIENCE = 5.0
"""Seconds for which a port in use is waited for: the workers of a server that was killed end a
moment after it."""

logger = logging.getLogger(__name__)


def listener_at(host: str, port: int) -> socket.socket:
    """A socket that listens there, once what listens there now has gone. Raises OSError.

    All addresses of IPv6 (`::`) are all of IPv4 too, as elsewhere, where the system can do that.
    It stays open in the processes that this one starts.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = _is_all_of_ipv6(host)
    if both and not socket.has_dualstack_ipv6():
        both = False
        logger.warning("The address is reached over IPv6 only", extra={"host": host})
    until = None
    while True:
        try:
            listener = socket.create_server(
                (host, port), family=family, backlog=2048, dualstack_ipv6=both
            )
        except OSError as error:
            if error.errno != EADDRINUSE or (until and time.monotonic() > until):
                raise
        else:
            listener.set_inheritable(True)
            return listener
        if until is None:
            where = {"host": host, "port": port}
            logger.warning("The port is in use, and waited for", extra=where)
            until = time.monotonic() + PATIENCE
        time.sleep(0.05)


def _is_all_of_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).is_unspecified
    except ValueError:
        return False
