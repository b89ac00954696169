"""nginx and Caddy with the configurations of deploy/, on ports and with files of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.certificates import write_certificate
from tests.conftest import ROOT
from tests.missing import missing

NAME = "items.example.org"

FULLCHAIN, PRIVKEY = (f"/etc/ssl/items.example.org/{each}.pem" for each in ("fullchain", "privkey"))

SOCKET = "/run/itemstore/http.sock"
"""Where the configurations say that the store is."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs, and how to reach it as a client that knows its certificate."""

    port: int
    certfile: Path

    def client(self) -> httpx.Client:
        """A client of https://items.example.org, on this machine and this port."""
        trusting = ssl.create_default_context(cafile=self.certfile)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": NAME},
            verify=trusting,
            timeout=20,
        )


def program(name: str) -> str:
    """The path of a program, which continuous integration has."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    return found or missing(f"{name} is not installed")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The text with other values for those of a machine; each must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx_files(directory: Path, uds: str, port: int) -> Path:
    """deploy/nginx on this port, within the least of a configuration around it."""
    certfile, keyfile = certificate_in(directory)
    site = replaced(
        (ROOT / "deploy/nginx/itemstore.conf").read_text(),
        (SOCKET, uds),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        (FULLCHAIN, str(certfile)),
        (PRIVKEY, str(keyfile)),
        ("/var/log/nginx/itemstore.log", str(directory / "access.log")),
    )
    (directory / "site.conf").write_text(site)
    temporary = "".join(
        f"{each}_temp_path {directory}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""  # the socket is for its own user
    main = directory / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\npid {directory}/nginx.pid;\nerror_log {directory}/error.log;\n"
        f"worker_processes 1;\nevents {{}}\n"
        f"http {{\n{temporary}include {directory}/site.conf;\n}}\n"
    )
    return main


def caddy_file(directory: Path, uds: str, port: int) -> Path:
    """deploy/caddy on this port, with a certificate of ours and nothing else to listen on."""
    certfile, keyfile = certificate_in(directory)
    site = replaced(
        (ROOT / "deploy/caddy/Caddyfile").read_text(),
        (f"unix/{SOCKET}", f"unix/{uds}"),
        ("items.example.org {", f"https://items.example.org:{port}, https://127.0.0.1:{port} {{"),
        (
            "# tls /etc/ssl/items.example.org/fullchain.pem /etc/ssl/items.example.org/privkey.pem",
            f"tls {certfile} {keyfile}",
        ),
    )
    options = ("grace_period 1s", "admin off", "auto_https disable_redirects", "skip_install_trust")
    file = directory / "Caddyfile"
    file.write_text("{\n\t" + "\n\t".join(options) + "\n}\n" + site)
    return file


def certificate_in(directory: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    certfile, keyfile = directory / "cert.pem", directory / "key.pem"
    write_certificate(certfile, keyfile, name=NAME, address="127.0.0.1")
    return certfile, keyfile


@contextmanager
def running(name: str, directory: Path, uds: str) -> Iterator[Proxy]:
    """Nginx or Caddy in front of the store at a unix socket, for the block."""
    path, port = program(name), free_port()
    if name == "nginx":
        command = [path, "-c", str(nginx_files(directory, uds, port)), "-p", str(directory)]
    else:
        file = caddy_file(directory, uds, port)
        command = [path, "run", "--config", str(file), "--adapter", "caddyfile"]
    log = directory / "said"
    with log.open("w") as said:
        home = {"HOME": str(directory), "XDG_DATA_HOME": str(directory)}
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | home)
    try:
        _until_open(port, process, log)
        yield Proxy(port, directory / "cert.pem")
    finally:
        process.terminate()
        process.wait(20)


def _until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
