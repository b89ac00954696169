"""Credentials of AWS come from where its own tools take them."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from itemstore.archive.object_store import object_store_of
from itemstore.archive.objects import NotAnArchive
from tests.archive.faulty_s3 import FaultyS3
from tests.archive.s3_server import KEYS, S3Server

CREDENTIALS = """
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = not-to-be-seen

[backups]
aws_access_key_id = AKIABACKUPS
aws_secret_access_key = not-to-be-seen
"""


@pytest.fixture
def bucket(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket, and files of credentials in a home of the test's own."""
    for name in (*KEYS, "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    file.write_text(CREDENTIALS)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    return s3_server.bucket(f"bucket-{secrets.token_hex(8)}")


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({}, "AKIADEFAULT"),
        ({"AWS_PROFILE": "backups"}, "AKIABACKUPS"),
        (KEYS, "AKIATEST"),
        ({"AWS_PROFILE": "backups"} | KEYS, "AKIATEST"),
    ],
)
async def test_they_are_those_of_the_environment_or_of_the_profile(
    s3_server: S3Server,
    bucket: str,
    environment: dict[str, str],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is signed with them."""
    async with FaultyS3(s3_server.url) as proxy:
        for name, value in (environment | {"AWS_ENDPOINT_URL": proxy.url}).items():
            monkeypatch.setenv(name, value)
        await object_store_of(bucket).put_new("segments/a", b"1")

        assert f"Credential={key}/" in proxy.last_head
        assert "/eu-central-1/s3/" in proxy.last_head


def test_a_profile_that_does_not_exist_is_said(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first request."""
    monkeypatch.setenv("AWS_PROFILE", "backup")

    with pytest.raises(NotAnArchive, match=r"AWS's profile backup can't be read: .*could not be"):
        object_store_of(bucket)
