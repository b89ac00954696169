"""The engine's URL as it may be shown: without its secrets, and as arguments for redis-cli."""

from __future__ import annotations

import shlex
from urllib.parse import parse_qs, unquote, urlsplit

from itemstore.engine.sentinel.urls import SCHEMES, SentinelUrl

HIDDEN = "***"


def without_secrets(url: str) -> str:
    """The URL of a connected engine without user, password and query, which may name one too."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = f"?{HIDDEN}" if parts.query else ""
    return f"{parts.scheme}://{HIDDEN if user else ''}{at}{host}{parts.path}{query}"


def redis_cli(url: str, *command: str, on_cluster: bool = False) -> str:
    """A line for a shell that has redis-cli run a command on the engine at this URL.

    It asks for the password where there is one: a line on a screen is no place for it. On a cluster
    the command goes to whichever node has the key.
    """
    parts = urlsplit(url)
    if parts.scheme in SCHEMES:
        return _by_sentinel(SentinelUrl.of(url), *command)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "unix":
        where, database = ["-s", unquote(parts.path)], query.get("db")
    else:
        host = parts.netloc.rpartition("@")[2]
        where = ["-u", f"{parts.scheme}://{host}"] if host else []
        database = query.get("db") or parts.path.strip("/")
    if database and database.isdigit():  # redis-py takes no notice of another path
        where += ["-n", database]
    if parts.password or query.get("password"):
        user = unquote(parts.username or "") or query.get("username")
        where += [*(["--user", user] if user else []), "--askpass"]
    return shlex.join(["redis-cli", *(["-c"] if on_cluster else []), *where, *command])


def _by_sentinel(url: SentinelUrl, *command: str) -> str:
    """A line that asks a sentinel where the primary is now, and then that."""
    host, port = url.sentinels[0]
    asks = "--askpass" if url.settings["password"] else ""
    where = f"redis-cli -h {shlex.quote(host)} -p {port} {asks}".rstrip()
    named = f"{where} SENTINEL GET-MASTER-ADDR-BY-NAME {shlex.quote(url.service)} | paste -sd:"
    scheme = urlsplit(url.engine).scheme
    before, _, after = redis_cli(url.engine, *command).partition(f"{scheme}://sentinel")
    return f'{before}"{scheme}://$({named})"{after}'
