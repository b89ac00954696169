"""How clients reach `itemstore serve`: address or socket, TLS, and the proxies in front."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from errno import EADDRINUSE, EADDRNOTAVAIL
from pathlib import Path
from shlex import quote
from typing import Any

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.variables import given_as
from itemstore.server.listening import listener_at
from itemstore.server.proxies import NotAProxy, trusted_proxies
from itemstore.server.run import Entrance
from itemstore.server.tls import Certificate, NotACertificate
from itemstore.server.unix_socket import NotASocket, unix_listener
from itemstore.store.named_collections import RESERVED, collection_names
from itemstore.store.settings import Settings


def entrance_of(settings: Settings, options: Mapping[str, Any] | None = None) -> Entrance:
    """What the settings say of it, tried. Raises Stop for a file or a name that can't be used.

    A setting that is wrong is named as it was given, among the options or elsewhere.
    """
    try:
        return _entrance_of(settings)
    except _Wrong as wrong:
        raise Stop(f"{given_as(wrong.name, options or {})}: {wrong}.", MISUSED) from None


class _Wrong(Exception):
    """What is wrong with the setting of this name."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def _entrance_of(settings: Settings) -> Entrance:
    try:
        trusted_proxies(settings.forwarded_allow_ips)
    except NotAProxy as error:
        raise _Wrong("forwarded_allow_ips", str(error)) from None
    root = settings.root_path or ""
    first = root.split("/")[1] if root else ""
    if first in {*RESERVED, "openapi.json", *collection_names(settings.collections)}:
        raise _Wrong("root_path", f"/{first} is a path of the store itself: choose another")
    return Entrance(root, settings.forwarded_allow_ips, _certificate(settings))


def _certificate(settings: Settings) -> Certificate | None:
    if settings.ssl_certfile is None:
        for name in ("ssl_keyfile", "ssl_keyfile_password"):
            if getattr(settings, name) is not None:
                raise _Wrong(name, "it is nothing without --ssl-certfile")
        return None
    password = settings.ssl_keyfile_password
    certificate = Certificate(
        settings.ssl_certfile,
        settings.ssl_keyfile,
        None if password is None else password.get_secret_value(),
    )
    try:
        certificate.context()
    except NotACertificate as error:
        raise _Wrong("ssl_certfile", str(error)) from None
    return certificate


def listening(settings: Settings) -> AbstractContextManager[socket.socket]:
    """The socket that the API listens on, for the block. Raises Stop when it can't be had."""
    return _at_address(settings) if settings.uds is None else _at_path(settings.uds)


@contextmanager
def _at_address(settings: Settings) -> Iterator[socket.socket]:
    try:
        listener = listener_at(settings.host, settings.port)
    except OSError as error:
        system = str(error.strerror).partition(" (")[0]  # Python adds the address to it
        why = "it is in use" if error.errno == EADDRINUSE else system
        advice = "Choose another port with --port, or 0 for any free one."
        if (error.errno or 0) < 0 or error.errno == EADDRNOTAVAIL:  # below 0: no such name
            advice = "Choose an address of this machine with --host."
        message = f"Can't listen on {settings.host}:{settings.port}: {why}. {advice}"
        raise Stop(message) from None
    with listener:
        yield listener


@contextmanager
def _at_path(path: Path) -> Iterator[socket.socket]:
    opened = unix_listener(path.absolute())
    try:
        listener = opened.__enter__()
    except (NotASocket, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"Can't listen on {path}: {why}. Choose another path with --uds."
        raise Stop(message) from None
    try:
        yield listener
    finally:
        opened.__exit__(None, None, None)


def where(settings: Settings, listener: socket.socket) -> list[str]:
    """The lines that say where everything is; of a unix socket, how to ask through it."""
    root = settings.root_path or ""
    scheme = "http" if settings.ssl_certfile is None else "https"
    if settings.uds is not None:
        path = str(listener.getsockname())
        insecure = "" if scheme == "http" else "-k "
        curl = f"curl {insecure}--unix-socket {quote(path)} {scheme}://localhost{root}/"
        return [f"API     unix:{path}", f"Curl    {curl}"]
    host, port = listener.getsockname()[:2]
    api = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{root}"
    lines = [f"API     {api}"]
    if settings.collections is not None:
        lines += [f"Items   {api}/{name}" for name in collection_names(settings.collections)]
    if settings.explorer:
        lines.append(f"Browse  {api}/explorer")
    return [*lines, f"Docs    {api}/docs"]
