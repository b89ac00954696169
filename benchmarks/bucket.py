"""A bucket on this machine, for archives: moto's server has it, which is in the extra `test`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks.starting import answered, free_port, wait_for

BUCKET = "archive"

URL = f"s3://{BUCKET}/store"
"""What a store is told of the archive."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 server with one bucket, by its port."""

    port: int

    @property
    def environment(self) -> Mapping[str, str]:
        """What a store's processes are told of the archive in it."""
        return environment(self.port)


def environment(port: int) -> dict[str, str]:
    """The same, where they ask at a port, which may be a proxy's."""
    where = {"ITEMSTORE_ARCHIVE": URL, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    return CREDENTIALS | where


@contextmanager
def bucket() -> Iterator[Bucket]:
    """A server with an empty bucket, for the block."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(partial(_is_made, port), process)
        yield Bucket(port)
    finally:
        process.kill()
        process.wait()


def _is_made(port: int) -> bool:
    return answered(port, f"/{BUCKET}", "PUT") == 200
