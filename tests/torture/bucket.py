"""A bucket for an archive, outside of the machine that may go away: moto's server has it."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from obstore.store import S3Store

from tests.torture.archived import Place

PATIENCE = 30.0
"""Seconds for the server to start."""

BUCKET = "archive"

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@asynccontextmanager
async def bucket() -> AsyncIterator[int]:
    """The port of an S3 server with an empty bucket, for the block."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moto.server", "-p", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.put(f"http://127.0.0.1:{port}/{BUCKET}")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        yield port
    finally:
        process.kill()
        await process.wait()


def place_at(port: int, through: int | None = None) -> Place:
    """The archive in the bucket: the store goes through another port where there is a proxy."""
    store = S3Store(
        BUCKET,
        prefix="store",
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region=CREDENTIALS["AWS_REGION"],
        client_options={"allow_http": True},
    )
    endpoint = f"http://127.0.0.1:{through or port}"
    environment = {"ITEMSTORE_ARCHIVE": f"s3://{BUCKET}/store", "AWS_ENDPOINT_URL": endpoint}
    return Place(CREDENTIALS | environment, store)


def free_port() -> int:
    """A TCP port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
