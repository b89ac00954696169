"""Where an archive may be, and how the clouds are reached.

Credentials come from where the clouds' own tools take them: environment variables, and what the
machine or the container has been given. What obstore does not know of these is added here.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from obstore.exceptions import BaseError
from obstore.store import MemoryStore, from_url

from itemstore.archive.bucket import Bucket
from itemstore.archive.directory import Directory
from itemstore.archive.objects import NotAnArchive, Objects

CLOUDS = ("s3", "gs", "az")

_KINDS = (
    "An archive is in a directory, or at s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH"
)

_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""Variables that name another server than the cloud's own: with http:// it is spoken to so."""

_OF_AZURE = {"AZURE_STORAGE_ACCOUNT": "account_name", "AZURE_STORAGE_KEY": "account_key"}
"""Variables of Azure's command line that obstore does not read."""

_OF_CONNECTION_STRINGS = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_key",
    "BlobEndpoint": "endpoint",
}

_in_memory: dict[str, MemoryStore] = {}


def objects_at(place: str | Path) -> Objects:
    """The objects at a place: a directory, `s3://`, `gs://` or `az://`, or `memory://NAME`.

    Those in memory are the same for all of a process that name them so. Raises NotAnArchive.
    """
    text = str(place)
    if "://" not in text:
        return Directory(Path(text).expanduser())
    parts = _parts(text)
    if parts.scheme == "memory":
        return Bucket(_in_memory.setdefault(text, MemoryStore()), text)
    url = text.rstrip("/")
    try:
        store = from_url(
            url,
            config=_config(parts.scheme),
            client_options=_client_options(parts.scheme),
            retry_config={"max_retries": 0},  # object_store.py tries again, all kinds alike
            credential_provider=_provider(parts.scheme),
        )
    except (BaseError, ValueError) as error:
        problem = str(error).partition("\n")[0] if "://" not in str(error) else ""
        raise NotAnArchive(f"The archive {url} can't be opened: {problem or _KINDS}.") from None
    return Bucket(store, url)


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        raise NotAnArchive(f"{_KINDS}; this URL can't be read.") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise NotAnArchive(
            f"{_KINDS}, with nothing more: credentials come from the environment, such as "
            "AWS_ACCESS_KEY_ID."
        )
    if parts.scheme not in (*CLOUDS, "memory") or not host:
        raise NotAnArchive(f"{_KINDS}, and not at {parts.scheme}://{host or ''}.")
    return parts


def _client_options(scheme: str) -> Any:
    endpoints = (os.environ.get(name, "") for name in _ENDPOINTS[scheme])
    options: dict[str, Any] = {
        "allow_http": any(endpoint.startswith("http://") for endpoint in endpoints),
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(hours=1),  # object_store.py has limits that know what is asked for
    }
    bundle = os.environ.get("AWS_CA_BUNDLE") if scheme == "s3" else None
    if bundle:
        try:
            options["root_certificate"] = Path(bundle).read_bytes()
        except OSError as error:
            raise NotAnArchive(f"AWS_CA_BUNDLE can't be read: {error}.") from None
    return options


def _config(scheme: str) -> Any:
    if scheme != "az":
        return None
    config = {key: os.environ[name] for name, key in _OF_AZURE.items() if os.environ.get(name)}
    for part in os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";"):
        name, _, value = part.partition("=")
        if name in _OF_CONNECTION_STRINGS:
            config[_OF_CONNECTION_STRINGS[name]] = value
    return config


def _provider(scheme: str) -> Any:
    """What reads the files of AWS's tools, of which obstore knows nothing: boto3, where it is."""
    if scheme != "s3" or os.environ.get("AWS_ACCESS_KEY_ID"):
        return None
    profile = os.environ.get("AWS_PROFILE")
    shared = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    if not (profile or Path(shared).expanduser().exists()):
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 - may be missing
    except ImportError:
        if profile is None:
            return None
        raise NotAnArchive("AWS_PROFILE is read by boto3: pip install boto3.") from None
    try:
        return Boto3CredentialProvider()
    except Exception as error:  # noqa: BLE001 - botocore has many, none of them with a secret
        sentence = (
            f"The credentials of AWS's profile {profile or 'default'} can't be read: {error}."
        )
        raise NotAnArchive(sentence) from None
