"""A bucket for an archive, outside of the machine that may go away."""

from __future__ import annotations

from obstore.store import S3Store

from benchmarks.bucket import BUCKET, CREDENTIALS, environment
from tests.torture.archived import Place


def place_in_bucket(port: int, through: int | None = None) -> Place:
    """The archive in the bucket of a server: the store asks a proxy at another port, if any."""
    store = S3Store(
        BUCKET,
        prefix="store",
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region=CREDENTIALS["AWS_REGION"],
        client_options={"allow_http": True},
    )
    return Place(environment(through or port), store)
