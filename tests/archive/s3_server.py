"""moto's S3 server, which a test may stop: it keeps all it has in memory."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from tests.conftest import PATIENCE, killed_when_silent

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-to-be-seen"}
"""Credentials that moto takes, as it does any."""

_RUNNING = re.compile(rb"Running on (http://[0-9.:]+)")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server of the tests' own."""

    url: str
    process: subprocess.Popen[bytes]

    def bucket(self, name: str) -> str:
        """Makes a bucket, and says its URL."""
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310 - the same
            return f"s3://{name}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return environment_for(self.url)


def environment_for(url: str) -> dict[str, str]:
    """What a process needs to reach an S3 server of the tests at a URL."""
    return KEYS | {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Runs a server with nothing in it, on a port that is free."""
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = b""
        with killed_when_silent(process):
            for line in process.stderr:
                said += line
                if found := _RUNNING.search(line):
                    break
            else:
                raise AssertionError(said.decode())
        # It logs each request, and would wait for a reader once the pipe is full.
        threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
        yield S3Server(found[1].decode(), process)
    finally:
        process.kill()
        process.wait(PATIENCE)


def _drain(pipe: IO[bytes]) -> None:
    with pipe:
        while pipe.read(1 << 10):
            pass
